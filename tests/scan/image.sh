#!/bin/sh
# image.sh FILE: builds the image, as `make test-image` does, and writes it to a file that scanners
# read.
set -eu
file=$1
cd "$(dirname "$0")/../.."
tag=localhost/open-chat:test
tests/image/build.sh "$tag"
mkdir -p "$(dirname "$file")"
rm -f "$file"
CONTAINERS_STORAGE_CONF=target/image/storage.conf buildah push --quiet "$tag" "docker-archive:$file"
