#!/bin/sh
# firefox.sh: the browser extension in a real Firefox. Each test has ten minutes, because other
# things may keep the machine busy.
set -eu
cd "$(dirname "$0")/../.."
node=$(tests/extension/node.sh)
"$node" --experimental-websocket --test --test-timeout=600000 tests/extension/firefox.mjs
