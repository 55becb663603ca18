#!/bin/sh
# Installs DjangoCRM, which the tests in a browser run, and makes its database with one agent and
# one client: target/djangocrm. Once: a second run finds it. Needs Python 3.11 or later.
set -eu
cd "$(dirname "$0")/.."
crm=target/djangocrm
wanted=$(cat tests/djangocrm.sh tests/requirements-djangocrm.txt tests/support/djangocrm.py | sha256sum)
[ "$(cat $crm/installed 2>/dev/null)" != "$wanted" ] || exit 0

rm -rf $crm
python3 -m venv $crm/python
$crm/python/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement tests/requirements-djangocrm.txt

# Its settings name a database in the working directory.
seed=$PWD/tests/support/djangocrm.py
(
    cd $crm
    # It has locks for what runs once a machine; here it is alone.
    mkdir tmp
    export DJANGO_SETTINGS_MODULE=webcrm.settings TMPDIR="$PWD/tmp"
    python/bin/python -m django setupdata >/dev/null
    python/bin/python "$seed"
    rm -r tmp
)
echo "$wanted" >$crm/installed
