#!/bin/sh
# image.sh: the image as an archive, for `docker load` and `podman load`.
set -eu
cd "$(dirname "$0")/../.."
. tools/release/names.sh

image=localhost/open-chat:$version
tests/image/build.sh "$image"
export CONTAINERS_STORAGE_CONF="$PWD/target/image/storage.conf"

# The name without a suffix is amd64's.
suffix=
[ "$architecture" = amd64 ] || suffix=-$architecture
archive=$artifacts/open-chat-$version-image$suffix.tar
mkdir -p $artifacts
rm -f "$archive" "$stage/image.tar"

# Once more, in one layer whose files have the commit's time, whenever its parts were built.
container=$(buildah from --pull-never "$image")
buildah commit --quiet --rm --squash --format docker --timestamp "$SOURCE_DATE_EPOCH" "$container" "$image"
buildah push --quiet "$image" "docker-archive:$stage/image.tar:open-chat:$version"
python3 -B tools/release/image_archive.py "$stage/image.tar" "$archive" "open-chat:$version"
