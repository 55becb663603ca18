#!/bin/sh
# Installs what the tests need and this machine lacks. As root it installs; as another user it
# prints the one command to run.
set -eu
cd "$(dirname "$0")/.."

. tests/debian.sh
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
need_python
need buildah buildah
need podman podman
need runc runc
need mmdebstrap mmdebstrap
need nsenter util-linux

install_missing nginx haproxy redis-server prometheus

# What only npm's and Python's indexes have, each in a place of its own. Of npm's: what pages of the
# browser tests are handed, which is the accessibility checker, what Kommo's widgets ask with, what
# Zendesk's apps and Pipedrive's panels talk with, and what HubSpot's cards are made of. And
# HubSpot's own code, which signs.
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
