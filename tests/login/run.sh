#!/bin/sh
# run.sh [TEST...]: the tests of real logins, in namespaces of their own: mounts, so that each
# configuration stands where it says that it stands; network, so that its names and ports are its
# own and nothing leaves the machine; processes, so that all end with the tests, however those end.
#
# As another user than root it becomes root of a user namespace, which takes lines in /etc/subuid
# and /etc/subgid.
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] && user="" || user="--map-root-user --map-auto"
# The environment is a new one: variables such as SSL_CERT_FILE would change what is tried here.
# shellcheck disable=SC2086 # a list of words
exec env -i PATH="$PATH:/usr/sbin:/sbin" HOME=/tmp LANG=C.UTF-8 PATIENCE="${PATIENCE:-600}" \
    unshare $user --mount --propagation private --net --pid --fork --kill-child --mount-proc \
    target/login/python/bin/python -B -m unittest discover --start-directory tests/login "$@"
