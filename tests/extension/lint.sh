#!/bin/sh
# lint.sh: the browser extension as Mozilla's reviewers look at it, with addons-linter, which also
# reads each script; and the unit tests of what tells links apart. No error and no warning is
# allowed: what addons-linter says of it is to be mended.
set -eu
cd "$(dirname "$0")/../.."
open_chat=target/debug/open-chat
tools=target/tools/extension/addons-linter
linter=$tools/node_modules/addons-linter
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node=$(tests/extension/node.sh)
[ -f $linter/package.json ] ||
    npm install --prefix $tools --no-save --no-audit --no-fund --loglevel error --ignore-scripts addons-linter@10.14.0

export PUBLIC_URL=https://chat.example
$open_chat connector browser-extension --browser firefox --crm https://crm.example --out "$work/crm.zip"
$open_chat connector browser-extension --browser firefox --out "$work/store.zip"
for package in crm store; do
    "$node" $linter/bin/addons-linter --warnings-as-errors --output text "$work/$package.zip"
done
"$node" --test tests/extension/*.test.mjs
