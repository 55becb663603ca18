#!/bin/sh
# sbom.sh: the list of what is built into the program, held against CycloneDX's schema.
set -eu
cd "$(dirname "$0")/../.."
. tools/release/names.sh

suffix=
[ "$architecture" = amd64 ] || suffix=-$architecture
mkdir -p $artifacts
list=$artifacts/open-chat-$version$suffix.cdx.json
packaging/sbom.sh "$target" "$revision" "$created" >"$list"
"$tools/python" -B tools/release/validate_sbom.py "$list"
