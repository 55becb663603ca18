#!/bin/sh
# keep-output.sh FILE new|add COMMAND...: runs the command, shows its output, keeps a copy of it,
# and exits as it did.
set -eu
file=$1 mode=$2
shift 2
mkdir -p "$(dirname "$file")"
[ "$mode" = add ] || : >"$file"
code=$(mktemp)
{ "$@" 2>&1 || echo "$?" >"$code"; } | tee -a "$file"
status=$(cat "$code")
rm -f "$code"
exit "${status:-0}"
