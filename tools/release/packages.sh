#!/bin/sh
# packages.sh: the archive, the .deb and the .rpm, around the program that binary.sh has built.
set -eu
cd "$(dirname "$0")/../.."
. tools/release/names.sh

rm -rf $stage
mkdir -p $stage/man $stage/completions $artifacts
cp "$binary" $stage/open-chat
$stage/open-chat man-pages $stage/man
for shell in bash fish; do
    $stage/open-chat completions $shell >$stage/completions/open-chat.$shell
done
$stage/open-chat completions zsh >$stage/completions/_open-chat
cp -r docs $stage/docs
# Whatever this shell's umask is, and that of the one in which the source was checked out.
chmod -R u=rwX,go=rX $stage

archive() {
    name=open-chat-$version-$machine-linux
    folder=$stage/$name
    mkdir "$folder"
    cp -r $stage/open-chat $stage/man $stage/completions "$folder"
    cp -r LICENSE README.md README.uk.md CHANGELOG.md docs "$folder"
    cp packaging/THIRD-PARTY-NOTICES.txt packaging/open-chat.service packaging/open-chat.env "$folder"
    tar --create --directory $stage --sort name --owner 0 --group 0 --numeric-owner --format ustar \
        --mode u=rwX,go=rX --mtime "@$SOURCE_DATE_EPOCH" "$name" | gzip -9 --no-name >"$artifacts/$name.tar.gz"
}

# Debian wants manual pages, changelogs and long documents compressed.
packages() {
    gzip -9 --no-name $stage/man/*.1
    gzip -9 --no-name <packaging/THIRD-PARTY-NOTICES.txt >$stage/THIRD-PARTY-NOTICES.txt.gz
    gzip -9 --no-name <CHANGELOG.md >$stage/CHANGELOG.md.gz
    cat >$stage/changelog.yaml <<END
- semver: $version
  date: $created
  packager: $maintainer
  deb: {urgency: medium, distributions: [stable]}
  changes:
    - note: "What is new: /usr/share/doc/open-chat/changelog.gz"
END
    cp packaging/open-chat.* packaging/copyright packaging/lintian-overrides LICENSE $stage
    # Packages keep the times of what is packed.
    find $stage -exec touch --date "@$SOURCE_DATE_EPOCH" {} +
    export VERSION="$version" ARCHITECTURE=$architecture MAINTAINER="$maintainer" HOMEPAGE="$homepage"
    "$tools/nfpm" package --config packaging/nfpm.yaml --packager deb --target "$artifacts/open-chat_${version}_$architecture.deb"
    "$tools/nfpm" package --config packaging/nfpm.yaml --packager rpm --target "$artifacts/open-chat-$version.$machine.rpm"
}

archive
packages
