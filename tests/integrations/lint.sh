#!/bin/sh
# lint.sh: what is installed in CRMs, as the tools of those who write for them look at it. No
# finding is allowed but those that are switched off here, with the reason.
set -eu
cd "$(dirname "$0")/../.."
tools=target/tools/integrations
node=$(tests/extension/node.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

packages="@apexdevtools/apex-parser@5.2.0 @hubspot/ui-extensions@0.17.0 @types/react@18.3.26 react@18.3.1 typescript@5.9.3"

# onec-hbk-bsl declares Python 3.12 and runs on the 3.11 of Debian 12.
[ "$(cat $tools/installed 2>/dev/null)" = "$packages" ] || {
    python3 -m venv $tools/python
    $tools/python/bin/pip install --quiet --disable-pip-version-check pylint-odoo==10.0.12
    $tools/python/bin/pip install --quiet --disable-pip-version-check --ignore-requires-python onec-hbk-bsl==0.8.53
    # shellcheck disable=SC2086 # a list of words
    npm install --prefix $tools/node --no-save --no-audit --no-fund --loglevel error --ignore-scripts $packages
    echo "$packages" >$tools/installed
}

# Odoo. The rules that are off are those of the Odoo Community Association's own repositories (its
# name as the author, README.rst); one for the version, which Odoo puts its own before; and
# self.env._, which Odoo 17 does not have.
PYLINTHOME=$work $tools/python/bin/pylint --load-plugins=pylint_odoo --valid-odoo-versions=17.0,18.0,19.0 \
    --score=no --disable=all --enable=odoolint,E,W,unused-import --ignore-patterns='.*\.pyc' \
    --disable=import-error,manifest-required-author,missing-readme,manifest-version-format,prefer-env-translation \
    integrations/odoo/open_chat integrations/odoo/open_chat_crm

# Salesforce.
# shellcheck disable=SC2046 # a list of paths without spaces
"$node" tests/integrations/apex.mjs "$PWD/$tools/node/node_modules/@apexdevtools/apex-parser" \
    $(find integrations/salesforce -name '*.cls') docs/signing/Sign.cls

# 1C. Off: magic numbers (029); what it asks of a common module, because a form's module is told by
# its place in a configuration (042, 062, 065, 170, 215); texts in Russian beside Ukrainian, whose
# words it takes for misspelt (221, 256); and the privileged mode, which reads the secret (247).
$tools/python/bin/onec-hbk-bsl check --no-config \
    --ignore BSL029,BSL042,BSL062,BSL065,BSL170,BSL215,BSL221,BSL247,BSL256 integrations/1c docs/signing

# SuiteCRM.
find integrations/suitecrm -name '*.php' >"$work/php"
while read -r file; do php -l "$file" >/dev/null; done <"$work/php"

# HubSpot: the card, by the types of HubSpot's own package, which stands above a copy of it.
cards=$(mktemp -d $tools/node/cards.XXXXXX)
trap 'rm -rf "$work" "$cards"' EXIT
cp integrations/hubspot/src/app/cards/*.ts* "$cards"
"$node" $tools/node/node_modules/typescript/bin/tsc --noEmit --strict --noUnusedLocals --noUnusedParameters \
    --target es2022 --module esnext --moduleResolution bundler --jsx react --skipLibCheck "$cards"/*.ts*

# XML, such as Odoo's views, and JSON.
find integrations -name '*.xml' -o -name '*.page' >"$work/xml"
python3 - "$work/xml" <<'PYTHON'
import sys
from xml.parsers import expat

# Without namespaces: Visualforce does not declare its own.
for line in open(sys.argv[1]):
    with open(line.strip(), "rb") as file:
        expat.ParserCreate().ParseFile(file)
PYTHON
find integrations -name '*.json' >"$work/json"
while read -r file; do python3 -m json.tool "$file" >/dev/null; done <"$work/json"

# Kommo's script is read by browsers without a build.
"$node" --check integrations/kommo/script.js
echo "integrations: no findings"
