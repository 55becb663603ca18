#!/bin/sh
# chart.sh: the chart's package, and the index that makes its folder a repository for helm.
set -eu
cd "$(dirname "$0")/../.."
. tools/release/names.sh

folder=$stage/chart
rm -rf $folder
mkdir -p $folder $artifacts
"$helm" package helm/open-chat --destination $folder
# Without --url the package is looked for beside the index, wherever both are put.
"$helm" repo index $folder
# helm writes the time of day.
sed -i -E "s/^(( *)(created|generated)): .*/\1: \"$created\"/" $folder/index.yaml
cp $folder/open-chat-"$version".tgz $folder/index.yaml $artifacts
