#!/bin/sh
# chart.sh: the chart's package, and the index that makes its folder a repository for helm.
set -eu
cd "$(dirname "$0")/../.."
. tools/release/names.sh

folder=$stage/chart
rm -rf $folder
mkdir -p $folder $artifacts
rm -rf $stage/open-chat-chart
mkdir $stage/open-chat-chart
cp -r helm/open-chat $stage/open-chat-chart
# The package keeps modes and times, which are those of the checkout.
chmod -R u=rwX,go=rX $stage/open-chat-chart
find $stage/open-chat-chart -exec touch --date "@$SOURCE_DATE_EPOCH" {} +
"$helm" package $stage/open-chat-chart/open-chat --destination $folder
# Without --url the package is looked for beside the index, wherever both are put.
"$helm" repo index $folder
# helm writes the time of day.
sed -i -E "s/^(( *)(created|generated)): .*/\1: \"$created\"/" $folder/index.yaml
cp $folder/open-chat-"$version".tgz $folder/index.yaml $artifacts
