#!/bin/sh
# Installs what `make release` needs and Debian does not have, under target/release-tools. Once: a
# second run finds it.
set -eu
cd "$(dirname "$0")/../.."
tools=target/release-tools
wanted=$(cat tools/release/tools.sh tools/release/requirements.txt | sha256sum)
[ "$(cat $tools/installed 2>/dev/null)" != "$wanted" ] || exit 0

rm -rf $tools/python
python3 -m venv $tools/python
$tools/python/bin/pip install --quiet --disable-pip-version-check --requirement tools/release/requirements.txt
echo "$wanted" >$tools/installed
