#!/bin/sh
# sbom.sh TARGET REVISION TIME [PACKAGE...]: what is built into the binary for TARGET, as CycloneDX: each
# crate with its licence, hash and dependencies, Rust's standard library, and the Debian packages
# whose files are built in, too.
#
# It asks cargo, which alone knows the crates of one target without those that only build or test;
# and it needs nothing that Rust's image does not have.
set -eu
cd "$(dirname "$0")/.."
target=$1 revision=$2 time=$3
shift 3

rust=$(rustc --version | cut -d ' ' -f 2)
# A file of its own each, because a pipe would hide that a command has failed.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo tree --locked --package open-chat --target "$target" --edges normal,no-proc-macro \
    --prefix depth --format '|{p}|{l}' >"$work/tree"
for package in "$@"; do
    # shellcheck source=/dev/null # whose Debian it is: ID and VERSION_ID
    . /etc/os-release
    dpkg-query --show --showformat "\${Package}|\${Version}|\${Architecture}|$ID-$VERSION_ID\n" "$package"
done >"$work/packages"
awk -F '|' -v revision="$revision" -v rust="$rust" -v time="$time" -f packaging/sbom.awk \
    Cargo.lock "$work/tree" "$work/packages"
