#!/bin/sh
# Installs what the tests need and this machine lacks. As root it installs; as anybody else it prints the one command to run.
set -eu

missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need cc gcc
need chromium chromium
need chromedriver chromium-driver
need curl curl
need redis-server redis-server

[ -z "$missing" ] && exit 0

install="apt-get install --yes --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
    apt-get update
    # shellcheck disable=SC2086 # a list of packages
    DEBIAN_FRONTEND=noninteractive $install
else
    echo "The tests need packages that are missing here. Run this, then try again:" >&2
    echo "  sudo apt-get update && sudo $install" >&2
    exit 1
fi
