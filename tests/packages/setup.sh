#!/bin/sh
# setup.sh: installs what `make test-packages` needs and this machine lacks, and makes the roots of
# the systems that packages are tried in. As root, since containers are run as root here.
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "The packages are installed in containers, as root: sudo make test-packages" >&2; exit 1; }
. tests/debian.sh
need lintian lintian
need mmdebstrap mmdebstrap
need podman podman
need runc runc
# shellcheck disable=SC2119 # none of them is a server
install_missing
tools/release/tools.sh

roots=target/packages
mkdir -p $roots
# An overlay cannot lie upon another, such as a container's own file system.
driver=overlay
[ "$(stat --file-system --format %T $roots)" != overlayfs ] || driver=vfs
cat >$roots/storage.conf <<EOT
[storage]
driver = "$driver"
graphroot = "$PWD/$roots/storage"
runroot = "$PWD/$roots/run"
EOT
export CONTAINERS_STORAGE_CONF="$PWD/$roots/storage.conf"

# root NAME SUITE PACKAGES
root() {
    ! podman image exists "localhost/$1" || return 0
    mmdebstrap --quiet --variant=minbase --include="$3" "$2" "$roots/$1.tar"
    podman import --quiet "$roots/$1.tar" "localhost/$1" >/dev/null
    rm "$roots/$1.tar"
}
systemd=ca-certificates,curl,dbus,systemd,systemd-sysv
root open-chat-bullseye bullseye ca-certificates,curl
root open-chat-bookworm bookworm $systemd
# With what Fedora and RHEL have by default: modules that resolve names by systemd.
root open-chat-trixie trixie $systemd,libnss-myhostname,libnss-resolve,rpm
