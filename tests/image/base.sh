#!/bin/sh
# base.sh IMAGE: makes a local stand-in for the Rust image that the Dockerfile begins with, for
# machines that cannot pull it: Debian's packages and this machine's Rust toolchain. For tests only;
# it is no source of images to ship.
set -eu
image=$1
version=${image##*:}
sysroot=$(rustc --print sysroot)
case "$(rustc --version)" in
    "rustc ${version%%-*} "*) ;;
    *) echo "base.sh: $image cannot be pulled, and this machine's $(rustc --version) is not its version" >&2; exit 1 ;;
esac

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mmdebstrap --quiet --variant=minbase --include=gcc,libc6-dev,ca-certificates "${version##*-}" "$root/debian.tar"

container=$(buildah from scratch)
trap 'buildah rm "$container" >/dev/null; rm -rf "$root"' EXIT
buildah add --quiet "$container" "$root/debian.tar" / >/dev/null
for part in bin lib; do
    buildah copy --quiet "$container" "$sysroot/$part" "/usr/local/rust/$part" >/dev/null
done
buildah config --env "PATH=/usr/local/rust/bin:/usr/bin:/bin" --env CARGO_HOME=/usr/local/cargo "$container"
buildah commit --quiet "$container" "$image" >/dev/null
