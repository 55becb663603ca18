# shellcheck shell=sh disable=SC2034
# names.sh: read by the scripts beside it, in the repository's root: version, commit and
# architecture, and the paths of what is made.

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
homepage=$(sed -n 's/^repository = "\(.*\)"/\1/p' Cargo.toml)
maintainer=$(sed -n 's/^authors = \["\(.*\)"\]/\1/p' Cargo.toml)
revision=$(git rev-parse HEAD)
# The commit's time is the time of everything, so that the same commit makes the same bytes.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
created=$(date --utc --date "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
export SOURCE_DATE_EPOCH

# What the same processor is called by Rust and .rpm, by .deb and images.
machine=$(uname -m)
case "$machine" in
    x86_64) architecture=amd64 ;;
    aarch64) architecture=arm64 ;;
    *) echo "There are releases for x86_64 and aarch64, not for $machine." >&2; exit 1 ;;
esac
target=$machine-unknown-linux-gnu
# RHEL 8 has this one; Debian 11 and Fedora have newer ones.
oldest_glibc=2.28

tools=$PWD/target/release-tools/python/bin
helm=$PWD/target/tools/helm-4/helm/helm
artifacts=target/release-artifacts
stage=target/release-stage
binary=target/$target/release/open-chat
