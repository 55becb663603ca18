#!/bin/sh
# image.sh TAG: hands the image that tests/image/build.sh has made to the cluster's nodes, and takes
# the program out of it, which plays ChatHub beside them.
set -eu
tag=$1
export CONTAINERS_STORAGE_CONF="$PWD/target/image/storage.conf"
mkdir -p target/cluster/images target/cluster/image
rm -f target/cluster/images/open-chat.tar
buildah push --quiet "$tag" "docker-archive:target/cluster/images/open-chat.tar:$tag"
container=$(buildah from --pull-never "$tag")
trap 'buildah rm "$container" >/dev/null' EXIT
cp "$(buildah mount "$container")/open-chat" target/cluster/image/open-chat
