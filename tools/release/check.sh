#!/bin/sh
# check.sh: makes the release of this commit once more, in another folder and from nothing, and
# compares the bytes with those of target/release-artifacts. What cargo has downloaded is shared.
set -eu
cd "$(dirname "$0")/../.."
. tools/release/names.sh
first=$PWD/$artifacts
[ -f "$first/SHA256SUMS" ] || { echo "make release comes first" >&2; exit 1; }

again=$PWD/target/release-check/a-folder-of-another-name
rm -rf target/release-check
# Not even the modes of files are to be found in what is released.
umask 077
git clone --quiet --no-local . "$again"
git -C "$again" checkout --quiet "$revision"
# Tools are no part of what is compared.
mkdir "$again/target"
for folder in tools release-tools; do
    ln -s "$PWD/target/$folder" "$again/target/$folder"
done
(cd "$again" && tools/release/release.sh)
diff -u "$first/SHA256SUMS" "$again/$artifacts/SHA256SUMS"
(cd "$again/$artifacts" && sha256sum --check SHA256SUMS)
echo "The same bytes from two folders."
