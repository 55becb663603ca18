#!/bin/sh
# about.sh [--check]: writes packaging/THIRD-PARTY-NOTICES.txt, the licences of everything that is
# built in, after a change of Cargo.lock. It is a part of the repository, so that whoever builds a
# package or an image has it. --check: fails where it is not what would be written.
set -eu
cd "$(dirname "$0")/../.."
tool=target/release-tools/cargo
version=0.9.3
$tool/bin/cargo-about --version 2>/dev/null | grep -q " $version\$" ||
    cargo install --quiet --locked --features cli --root $tool "cargo-about@$version"

notices=packaging/THIRD-PARTY-NOTICES.txt
written=target/third-party-notices.txt
$tool/bin/cargo-about generate --offline --locked --fail --config packaging/about.toml \
    --output-file $written packaging/about.hbs
if [ "${1:-}" = --check ]; then
    cmp $written $notices || { echo "$notices is not up to date: make notices" >&2; exit 1; }
else
    mv $written $notices
fi
