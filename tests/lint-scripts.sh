#!/bin/sh
# lint-scripts.sh: shell scripts by shellcheck, Python by ruff (ruff.toml), and the spelling of
# everything by typos (typos.toml). No finding is allowed.
set -eu
cd "$(dirname "$0")/.."
tools=target/tools/python/bin

# What begins like a script, such as a package's postinst, wherever it stands; committed or new.
git grep --untracked --files-with-matches --extended-regexp '^#!.*sh( |$)' -- ':!*.md' ':!*.rs' |
    xargs "$tools/shellcheck" --external-sources
"$tools/ruff" check --quiet
"$tools/typos"

# A word that typos.toml allows must still occur, or the list hides the next mistake.
sed -n 's/^\([A-Za-z]*\) = .*/\1/p' typos.toml | while read -r word; do
    git grep --untracked --quiet --ignore-case --fixed-strings "$word" -- ':!typos.toml' || {
        echo "lint-scripts.sh: typos.toml allows $word, which does not occur any more" >&2
        exit 1
    }
done
echo "lint-scripts.sh: no findings"
