#!/bin/sh
# openapi.sh SECONDS: has schemathesis make up requests after /openapi.json, right and wrong ones,
# for so long at a locked door, at an open one and at one for paired browsers, and hold the answers
# against what the document says.
set -eu
seconds=$1
cd "$(dirname "$0")/.."
open_chat=target/debug/open-chat
st=$PWD/target/schemathesis/bin/st
config=$PWD/tests/schemathesis.toml
work=$(mktemp -d)
processes=""
trap 'kill $processes 2>/dev/null || true; rm -rf "$work"' EXIT

# Waits for the first address in a file that a process writes to.
address() {
    # Ten minutes at most, because other things may keep the machine busy.
    for _ in $(seq 6000); do
        found=$(grep -o '127\.0\.0\.1:[0-9]*' "$1" | head -n 1)
        [ -z "$found" ] || { echo "http://$found"; return; }
        sleep 0.1
    done
    echo "openapi.sh: $1 has no address in it:" >&2
    cat "$1" >&2
    exit 1
}

$open_chat simulate --port 0 >"$work/simulator" &
processes="$processes $!"

export API_KEY=canary-api-key PASS_SECRET=canary-pass-secret-of-more-than-32-bytes
printf '[[key]]\nname = "tests"\nsha256 = "%s"\n' "$(printf %s "$API_KEY" | sha256sum | cut -d ' ' -f 1)" >"$work/keys.toml"
PASS=$($open_chat pass mint --operator 101 --ttl 1h)
export PASS

export API_KEYS_FILE="$work/keys.toml" PUBLIC_URL=https://chat.example LISTEN=127.0.0.1:0 CHATHUB_LOGIN=demo CHATHUB_PASSWORD=demo-password
export RATE_LIMIT_OPERATOR=1000000/s RATE_LIMIT_CLIENT=1000000/s RATE_LIMIT_REFUSED=1000000/s
export CHATHUB_CONNECT_TIMEOUT=2m CHATHUB_ATTEMPT_TIMEOUT=2m CLICK_BUDGET=5m
CHATHUB_URL=$(address "$work/simulator")
export CHATHUB_URL

printf '[kommo]\naccounts = ["https://acme.kommo.com"]\nsecret = "canary-kommo-secret"\n[hubspot]\nportals = [12345]\napp_id = 9\nclient_secret = "canary-hubspot-secret"\n[pipedrive]\ncompanies = [{ id = 123, host = "acme.pipedrive.com" }]\njwt_secret = "canary-pipedrive-secret-of-more-than-32-bytes"\napi_token = "canary-pipedrive-api-token"\n' >"$work/connectors.toml"
printf '[zendesk]\naccounts = ["acme.zendesk.com"]\npublic_key_file = "%s"\n' "$PWD/fuzz/fuzz_targets/rs256.pem" >>"$work/connectors.toml"
export DEVICE_SECRET=canary-device-secret-of-more-than-32-bytes
for door in pass,key open,key device,key; do
    # What CRMs ask for is answered by a pass, and is not there at the others.
    case $door in
    pass,*) connectors="$work/connectors.toml" without='^$' ;;
    *) connectors="" without='^/connect/' ;;
    esac
    ACCESS=$door CONNECTORS_FILE=$connectors $open_chat serve >"$work/$door" &
    service=$!
    processes="$processes $service"
    url=$(address "$work/$door")
    echo "openapi.sh: ACCESS=$door at $url"
    # There are no redirects within the service, and schemathesis is not to follow one elsewhere.
    # It keeps notes where it runs.
    (cd "$work" && "$st" --config-file "$config" run "$url/openapi.json" --url "$url" \
        --exclude-path-regex "$without" --max-redirects 0 --max-time "$seconds" --wait-for-schema 600)
    kill $service
    wait $service || true
    # What it has logged is searched for secrets with the rest.
    cat "$work/$door" >>target/tmp/processes.log
done
