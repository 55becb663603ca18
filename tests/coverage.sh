#!/bin/sh
# coverage.sh: how many lines of each file the unit tests and the API tests run, as a table, and as
# pages in target/coverage/html. What runs in the tests' browser, and programs that are killed, do
# not count.
set -eu
cd "$(dirname "$0")/.."
out=$PWD/target/coverage
tools=$(echo "$(rustc --print sysroot)"/lib/rustlib/*/bin)
cov=$tools/llvm-cov profdata=$tools/llvm-profdata
[ -x "$cov" ] || { cov=llvm-cov-22 profdata=llvm-profdata-22; }
command -v "$cov" >/dev/null || {
    echo "coverage.sh needs LLVM's tools, as new as rustc's: rustup component add llvm-tools, or apt-get install llvm-22" >&2
    exit 1
}
rm -rf "$out"
mkdir -p "$out"

# Only the crate itself is measured, so what it depends on need not be built anew. A shell would
# lose variables such as CARGO_BIN_EXE_open-chat.
cat >"$out/rustc" <<'END'
#!/usr/bin/env python3
import os, sys
os.execvp(sys.argv[1], [*sys.argv[1:], "-Cinstrument-coverage"])
END
chmod +x "$out/rustc"
export RUSTC_WORKSPACE_WRAPPER="$out/rustc" LLVM_PROFILE_FILE="$out/%8m.profraw"
cargo test --workspace --locked --lib --test api
# Programs with an environment of their own leave theirs where they run.
mv default_*.profraw "$out"

objects=$(cargo test --workspace --locked --lib --test api --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*\)".*/--object=\1/p' | sort -u)
"$profdata" merge --sparse "$out"/*.profraw --output "$out/tests.profdata"
report() {
    command=$1
    shift
    # shellcheck disable=SC2086 # a list of words
    "$cov" "$command" --instr-profile "$out/tests.profdata" $objects --ignore-filename-regex '/registry/|/rustc/|/tests/|/target/' "$@"
}
report show --format html --output-dir "$out/html"
report report --show-region-summary=false --show-branch-summary=false
