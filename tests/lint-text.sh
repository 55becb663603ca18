#!/bin/sh
# lint-text.sh: comments and documents stay within 100 columns, and code speaks of callers and
# agents, not of somebody.
# shellcheck disable=SC2016 # what awk is given has a $ of its own
set -eu
cd "$(dirname "$0")/.."

# In bytes awk is the same everywhere; what continues a character in UTF-8 is not counted.
export LC_ALL=C

rust_files() {
    for directory in "$@"; do
        [ ! -d "$directory" ] || find "$directory" -name target -prune -o -name '*.rs' -print
    done | sort
}

# A row of a table cannot be wrapped, and neither can a word, such as a URL.
over_long_comments() {
    rust_files src crates tests benches examples fuzz | xargs awk '
        { columns = $0; gsub(/[\200-\277]/, "", columns) }
        length(columns) <= 100 || !/^ *\/\// || /^ *\/\/[\/!]? *\|/ { next }
        { text = $0; sub(/^ *\/\/[\/!]? *([-*] +|[0-9]+\. +)?/, "", text) }
        text ~ / / { print FILENAME ":" FNR ": a comment of " length(columns) " columns" }
    '
}

# The same in the scripts of integrations.
over_long_script_comments() {
    find integrations tests/extension -name '*.js' -o -name '*.mjs' | sort | xargs awk '
        { columns = $0; gsub(/[\200-\277]/, "", columns) }
        length(columns) > 100 && /^ *(\/\/|\/?\*)/ { print FILENAME ":" FNR ": a comment of " length(columns) " columns" }
    '
}

# The same for what begins with a hash, in manifests and scripts. The head of probe.sh is the usage
# that it prints.
over_long_hash_comments() {
    find Cargo.toml Makefile .ci tests tools -type f \( -name Cargo.toml -o -name Makefile -o -name run -o -name '*.sh' \) |
        sort | xargs awk '
        { columns = $0; gsub(/[\200-\277]/, "", columns) }
        FILENAME ~ /probe.sh$/ && FNR < 10 { next }
        length(columns) > 100 && /^ *# / { print FILENAME ":" FNR ": a comment of " length(columns) " columns" }
    '
}

# The same in what customers take over: the chart, proxies' configurations, modules of 1C.
over_long_comments_of_customers() {
    find helm docs/proxies docs/signing integrations -name node_modules -prune -o -type f \
        \( -name '*.yaml' -o -name '*.tpl' -o -name '*.conf' -o -name '*.cfg' -o -name '*.bsl' \) -print |
        sort | xargs awk '
        { columns = $0; gsub(/[\200-\277]/, "", columns) }
        length(columns) > 100 && /^ *(#|\/\/|\{\{- \/\*) / { print FILENAME ":" FNR ": a comment of " length(columns) " columns" }
    '
}

# The same for a heading and the target of a link; in a code fence lines are as they are.
over_long_lines() {
    find . -name target -prune -o -name node_modules -prune -o -name '*.md' -print | sort | xargs awk '
        FNR == 1 { fence = "" }
        match($0, /^ *(```+|~~~+)/) {
            mark = substr($0, RSTART, RLENGTH); gsub(/ /, "", mark)
            if (fence == "") fence = mark
            else if (index(mark, fence) == 1) fence = ""
            next
        }
        { columns = $0; gsub(/[\200-\277]/, "", columns) }
        fence != "" || length(columns) <= 100 || /^ *\|/ || /^#/ || /^ *\[[^]]*\]: / { next }
        { text = $0; sub(/^[ >]*([-*+] +|[0-9]+\. +)?/, "", text) }
        text ~ / / { print FILENAME ":" FNR ": a line of " length(columns) " columns" }
    '
}

# Without texts, which users see and which stay as they are. Some of the rest is meant.
vague_words() {
    rust_files src crates | xargs awk -v most=19 '
        { gsub(/"([^"\\]|\\.)*"/, ""); text = tolower($0) }
        words = gsub(/whom|whoever|nobody|somebody|anybody/, "&", text) {
            count += words
            found[++lines] = FILENAME ":" FNR ": name the caller, the agent, the file: " $0
        }
        END { if (count > most) for (at = 1; at <= lines; at++) print found[at] }
    '
}

findings=$(over_long_comments; over_long_script_comments; over_long_hash_comments; over_long_comments_of_customers; over_long_lines; vague_words)
[ -z "$findings" ] || { echo "$findings"; exit 1; }
