#!/bin/sh
# setup.sh: installs what `make release` needs and this machine lacks. As root it installs; as
# another user it prints the one command to run.
set -eu
cd "$(dirname "$0")/../.."
. tests/debian.sh
need objdump binutils
need cc gcc
need git git
need npm npm
need_python
need buildah buildah
need runc runc
need mmdebstrap mmdebstrap
# shellcheck disable=SC2119 # none of them is a server
install_missing
tests/tools.sh
tools/release/tools.sh
