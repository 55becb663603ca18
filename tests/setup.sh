#!/bin/sh
# Installs what the tests need and this machine lacks. As root it installs; as another user it
# prints the one command to run.
set -eu
cd "$(dirname "$0")/.."

# Where servers are installed, which is not in every user's PATH.
PATH="$PATH:/usr/sbin:/sbin"
missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need cc gcc
need c++ g++
need chromium chromium
need chromedriver chromium-driver
need firefox-esr firefox-esr
need curl curl
need openssl openssl
need redis-server redis-server
need prometheus prometheus
need nginx nginx-light
need haproxy haproxy
# What the examples of docs/signing run in.
need php php-cli
need node nodejs
need mcs mono-mcs
need mono mono-runtime
# The chart and the image.
need npm npm
need python3 python3
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
need buildah buildah
need podman podman
need runc runc
need mmdebstrap mmdebstrap
need nsenter util-linux

# What only npm's and Python's indexes have, each in a place of its own.
tools() {
    # What pages of the browser tests are handed: the accessibility checker, what Kommo's widgets
    # ask with, what Zendesk's apps and Pipedrive's panels talk with, and what HubSpot's cards are
    # made of. And HubSpot's own code, which signs.
    packages="axe-core@4.14.1 jquery@3.7.1 zendesk_app_framework_sdk@2.0.11 @pipedrive/app-extensions-sdk@0.15.1
        react@18.3.1 react-dom@18.3.1 typescript@5.9.3 @hubspot/api-client@13.5.0"
    [ "$(cat target/npm/installed 2>/dev/null)" = "$packages" ] || {
        # shellcheck disable=SC2086 # a list of words
        npm install --prefix target/npm --no-save --no-audit --no-fund --ignore-scripts $packages
        echo "$packages" >target/npm/installed
    }
    st=target/schemathesis
    [ -x $st/bin/st ] || { python3 -m venv $st && $st/bin/pip install --quiet schemathesis==4.32.5; }
    tests/djangocrm.sh
}

if [ -z "$missing" ]; then
    tools
    exit 0
fi

install="apt-get install --yes --no-install-recommends$missing"
# Debian starts a server as soon as it is installed. The tests start their own, so one that comes
# with this run is switched off again; one that was here before is in use.
servers=""
for server in nginx haproxy redis-server prometheus; do
    case "$missing" in *" $server"*) servers="$servers $server" ;; esac
done
stop=""
# The directory is there where systemd runs; Debian's container images start nothing.
[ -z "$servers" ] || [ ! -d /run/systemd/system ] || stop="systemctl disable --now$servers"
if [ "$(id -u)" = 0 ]; then
    apt-get update
    # shellcheck disable=SC2086 # lists of words
    DEBIAN_FRONTEND=noninteractive $install
    $stop
    tools
else
    echo "The tests need packages that are missing here. Run this, then try again:" >&2
    echo "  sudo apt-get update && sudo $install${stop:+ && sudo $stop}" >&2
    exit 1
fi
tools
