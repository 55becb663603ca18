# shellcheck shell=sh
# debian.sh, to be sourced: `need COMMAND PACKAGE` for each program that a script runs, then
# `install_missing SERVER…`.

# Where servers are installed, which is not in every user's PATH.
PATH="$PATH:/usr/sbin:/sbin"
missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }

need_python() {
    need python3 python3
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
}

# As root it installs what is missing; for another user it prints the one command to run, and ends.
#
# Debian starts a server as soon as it is installed. The tests start their own, so one of those
# that are named here is switched off again if it comes with this run; one that was here before is
# in use.
install_missing() {
    [ -n "$missing" ] || return 0
    servers=""
    for server in "$@"; do
        case "$missing" in *" $server"*) servers="$servers $server" ;; esac
    done
    stop=""
    # The directory is there where systemd runs; Debian's container images start nothing.
    [ -z "$servers" ] || [ ! -d /run/systemd/system ] || stop="systemctl disable --now$servers"
    install="apt-get -o DPkg::Lock::Timeout=600 install --yes --no-install-recommends$missing"
    if [ "$(id -u)" != 0 ]; then
        echo "Packages are missing here. Run this, then try again:" >&2
        echo "  sudo apt-get update && sudo $install${stop:+ && sudo $stop}" >&2
        exit 1
    fi
    apt-get update
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive $install
    $stop
}
