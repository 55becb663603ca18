#!/bin/sh
# needs-glibc.sh OLDEST FILE: fails where the program does not run with glibc OLDEST. One that is
# static fails, too: a static glibc loads the host's modules for names, and dies of another version.
set -eu
oldest=$1 file=$2
newest=$(objdump --dynamic-syms "$file" | grep -o 'GLIBC_[0-9.]*' | sort --version-sort --unique | tail -n 1)
[ -n "$newest" ] || { echo "$file is not linked with glibc dynamically" >&2; exit 1; }
last=$(printf 'GLIBC_%s\n%s\n' "$oldest" "$newest" | sort --version-sort | tail -n 1)
[ "$last" = "GLIBC_$oldest" ] || { echo "$file needs $newest, but is for GLIBC_$oldest" >&2; exit 1; }
echo "$file needs $newest"
