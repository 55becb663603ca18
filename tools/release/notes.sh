#!/bin/sh
# notes.sh VERSION: the changelog's section of VERSION.
set -eu
cd "$(dirname "$0")/../.."
awk -v head="## [$1] - " '
    index($0, "## ") == 1 { shown = index($0, head) == 1; next }
    shown { print; found = 1 }
    END { exit !found }
' CHANGELOG.md
