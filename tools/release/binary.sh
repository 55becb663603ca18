#!/bin/sh
# binary.sh: builds the program for strangers' machines: linked with the C library of the oldest
# system that it is for, so that it runs on all newer ones.
set -eu
cd "$(dirname "$0")/../.."
. tools/release/names.sh

# Folders leave no trace: the same bytes come of the same sources wherever they lie.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
RUSTFLAGS="--remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$PWD=/src"
CFLAGS="-ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$PWD=/src"
PATH="$tools:$PATH"
export RUSTFLAGS CFLAGS PATH
OPEN_CHAT_REVISION=$revision cargo-zigbuild zigbuild --release --locked --target "$target.$oldest_glibc" --bin open-chat

tools/release/needs-glibc.sh $oldest_glibc "$binary"
[ "$("$binary" --version)" = "open-chat $version ($revision)" ]
