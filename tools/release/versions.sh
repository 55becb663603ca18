#!/bin/sh
# versions.sh [TAG]: fails where crates, chart, changelog and TAG are not of one version.
set -eu
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
status=0
differs() { echo "$1: not $version" >&2; status=1; }

[ "${1:-v$version}" = "v$version" ] || differs "the tag $1"
for crate in open-chat $(sed -n 's/^\([a-z-]*\) = { version = ".*", path = .*/\1/p' Cargo.toml); do
    grep -A 1 "^name = \"$crate\"\$" Cargo.lock | grep -q "^version = \"$version\"\$" || differs "Cargo.lock, $crate"
    ! grep "^$crate = { version" Cargo.toml | grep -qv "version = \"$version\"" || differs "Cargo.toml, $crate"
done
grep -q "^version: $version\$" helm/open-chat/Chart.yaml || differs "Chart.yaml, version"
grep -q "^appVersion: \"$version\"\$" helm/open-chat/Chart.yaml || differs "Chart.yaml, appVersion"
grep -q "^      image: open-chat:$version\$" helm/open-chat/Chart.yaml || differs "Chart.yaml, image"
grep -Eq "^## \[$version\] - [0-9]{4}-[0-9]{2}-[0-9]{2}\$" CHANGELOG.md || differs "CHANGELOG.md, no section with a date"
exit $status
