#!/bin/sh
# fuzz.sh SECONDS [TARGET...]: builds the targets of fuzz/, and has libFuzzer feed each of them for
# so long: what fuzz/corpus/ has first, then what it makes of that. Where nothing is found, only a
# line a target is printed: what libFuzzer says is full of made-up secrets.
set -eu
seconds=$1
shift
cd "$(dirname "$0")/.."
# shellcheck disable=SC2046 # a list of words
[ $# -gt 0 ] || set -- $(basename --suffix .rs fuzz/fuzz_targets/*.rs)

# The versions are those of the service.
[ fuzz/Cargo.lock -nt Cargo.lock ] || cp Cargo.lock fuzz/Cargo.lock
# The service has no `unsafe` of its own that AddressSanitizer could watch over, and is faster
# without it.
target/tools/python/bin/cargo-fuzz fuzz build --sanitizer none --target-dir target/fuzz

host=$(rustc -vV | sed -n 's/^host: //p')
export TMPDIR="$PWD/target/fuzz/tmp"
for name; do
    rm -rf "$TMPDIR"
    found=target/fuzz/corpus/$name
    crashes=target/fuzz/artifacts/$name
    log=target/fuzz/$name.log
    mkdir -p "$found" "$crashes" "$TMPDIR"
    "target/fuzz/$host/release/$name" "$found" "fuzz/corpus/$name" -dict="fuzz/dictionaries/$name" \
        -max_total_time="$seconds" -timeout=300 -artifact_prefix="$crashes/" -print_final_stats=1 >"$log" 2>&1 || {
        tail -n 50 "$log" >&2
        echo "fuzz.sh: $name has failed; $log says how, and what it was fed is in $crashes/" >&2
        exit 1
    }
    echo "fuzz.sh: $name: $(sed -n 's/^stat::number_of_executed_units: //p' "$log") inputs in $seconds s, nothing found"
done
