#!/bin/sh
# build.sh TAG: builds the Dockerfile as it is, with buildah. Images and layers are kept under
# target/, where a second run finds them.
# STAND_IN=no: a base image that cannot be pulled is an error.
set -eu
tag=$1
[ "$(id -u)" = 0 ] || { echo "build.sh: containers are built and run as root here: sudo make test-image" >&2; exit 1; }

mkdir -p target/image
# An overlay cannot lie upon another, such as a container's own file system.
driver=overlay
[ "$(stat --file-system --format %T target)" != overlayfs ] || driver=vfs
cat >target/image/storage.conf <<EOF
[storage]
driver = "$driver"
graphroot = "$PWD/target/image/storage"
runroot = "$PWD/target/image/run"
EOF
export CONTAINERS_STORAGE_CONF="$PWD/target/image/storage.conf"

base="docker.io/library/$(sed -n 's/^FROM \(.*\) AS build$/\1/p' Dockerfile)"
buildah inspect --type image "$base" >/dev/null 2>&1 || timeout 300 buildah pull --quiet "$base" 2>/dev/null || {
    [ "${STAND_IN:-yes}" = yes ] || { echo "build.sh: $base cannot be pulled" >&2; exit 1; }
    echo "$base cannot be pulled; a stand-in is made of Debian's packages and this machine's toolchain"
    tests/image/base.sh "$base"
}

# What cargo has downloaded already is lent to the build, which then needs no network and no
# certificates of this machine.
cargo fetch --locked
created=$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)
# Docker's format: the other one has no HEALTHCHECK.
buildah build --isolation chroot --pull-never --layers --format docker \
    --volume "${CARGO_HOME:-$HOME/.cargo}/registry:/usr/local/cargo/registry" \
    --build-arg VERSION="$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)" --build-arg REVISION="$(git rev-parse HEAD)" \
    --build-arg CREATED="$created" \
    --tag "$tag" .
