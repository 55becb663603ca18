#!/bin/sh
# setup.sh: installs what `make release` needs and this machine lacks. As root it installs; as
# another user it prints the one command to run.
set -eu
cd "$(dirname "$0")/../.."
missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need objdump binutils
need cc gcc
need git git
need npm npm
need python3 python3
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
need buildah buildah
need runc runc
need mmdebstrap mmdebstrap
if [ -n "$missing" ]; then
    install="apt-get install --yes --no-install-recommends$missing"
    [ "$(id -u)" = 0 ] || { echo "make release: sudo apt-get update && sudo $install" >&2; exit 1; }
    apt-get update
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive $install
fi
tests/tools.sh
tools/release/tools.sh
