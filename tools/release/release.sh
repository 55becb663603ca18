#!/bin/sh
# release.sh: writes what a release consists of to target/release-artifacts, of the commit that is
# checked out. The same commit makes the same bytes: check.sh.
set -eu
cd "$(dirname "$0")/../.."
[ -z "$(git status --porcelain)" ] || { git status --short; echo "make release: commit these first" >&2; exit 1; }
. tools/release/names.sh

tools/release/versions.sh
tools/release/setup.sh
rm -rf $artifacts
mkdir -p $artifacts
tools/release/binary.sh
tools/release/packages.sh
tools/release/chart.sh
tools/release/sbom.sh
tools/release/image.sh
# The image is compared by its bytes, too: nothing in the folder but what is released.
(cd $artifacts && sha256sum -- * >../SHA256SUMS && mv ../SHA256SUMS .)
ls -l $artifacts
