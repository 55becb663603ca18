#!/bin/sh
# probe.sh URL [LINK]: tries forbidden things against a running open-chat, and says if any of them succeeds.
#
# URL is where the service is to its callers, such as https://chat.example. LINK is a button's URL that must work; with it the probe also
# alters that link. Use one that opens more than once. An answer may take PROBE_MAX_TIME seconds, 10 where it is not set. It needs curl.
# Exit 0: the good link works and nothing else does. 1: something forbidden succeeded. 2: the good link does not work.
set -eu
[ $# -ge 1 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 64; }
base=${1%/}
link=${2-}
operator=${PROBE_OPERATOR-101}
phone=${PROBE_PHONE-0501234567}
click="$base/open-chat?operator=$operator&phone=$phone"
forbidden=0

# Answers `redirect` where a token was handed out, else the status. A token never reaches this
# script's output.
ask() {
    answer=$(curl --globoff --silent --show-error --max-time "${PROBE_MAX_TIME-10}" --output /dev/null --write-out '%{http_code} %{redirect_url}' "$@") || answer="000 "
    case $answer in
    3*token=*) echo redirect ;;
    *) echo "${answer%% *}" ;;
    esac
}

forbid() {
    what=$1
    shift
    result=$(ask "$@")
    if [ "$result" = redirect ]; then
        echo "SUCCEEDED  $what"
        forbidden=$((forbidden + 1))
    else
        echo "refused    $what ($result)"
    fi
}

# The same for what is forbidden to answer at all.
forbid_answer() {
    what=$1
    shift
    result=$(ask "$@")
    case $result in
    200 | redirect)
        echo "SUCCEEDED  $what"
        forbidden=$((forbidden + 1))
        ;;
    *) echo "refused    $what ($result)" ;;
    esac
}

base64url() { base64 | tr -d '\n=' | tr '+/' '-_'; }

forbid "an operator named in the URL, nothing else" "$click"
forbid "a pass that is a guess" "$click&pass=guess"
claims=$(printf '{"sub":"%s","exp":%s}' "$operator" "$(($(date +%s) + 60))" | base64url)
for algorithm in none None HS256; do
    head=$(printf '{"alg":"%s","typ":"JWT"}' "$algorithm" | base64url)
    forbid "an unsigned pass that says $algorithm" "$click&pass=$head.$claims."
    forbid "the same in Authorization" --header "Authorization: Bearer $head.$claims." "$click"
done
forbid "an API key that is a guess" --header "Authorization: Bearer guess" "$click"
for name in X-Auth-Request-Email X-Auth-Request-User X-Forwarded-User X-Forwarded-Email Remote-User X-Remote-User; do
    forbid "an identity of our own in $name" --header "$name: $operator" --header "X-Proxy-Secret: guess" "$click"
done
for address in 127.0.0.1 10.0.0.1 192.168.0.1; do
    forbid "an inside address in X-Forwarded-For" --header "X-Forwarded-For: $address" "$click"
done

cross_site="Sec-Fetch-Site: cross-site"
forbid "another site's script, by fetch" --header "$cross_site" --header "Sec-Fetch-Dest: empty" --header "Sec-Fetch-Mode: no-cors" "$click"
forbid "a head of 17 KiB" --header "X-Long: $(printf '%17408s' '' | tr ' ' x)" "$click"
# After DNS rebinding a stranger's page is of the same origin, but for its name.
forbid_answer "the widget's token under a stranger's name" --header "Host: rebound.example" "$base/widget/token?operator=$operator"
forbid_answer "the metrics under an encoded path" "$base/%6detrics"
if [ "$(ask "$base/metrics")" = 200 ]; then
    echo "NOTE       the metrics are for everyone who reaches this address: set OPS_LISTEN"
fi

if [ -n "$link" ]; then
    case $link in *\?*) more="$link&" ;; *) more="$link?" ;; esac
    forbid "the good link for another operator" "${more}operator=999999"
    forbid "the good link with a line break in it" "${more}source=%0d%0aLocation:%20//evil.example"
    forbid "the good link, looked ahead at" --header "Sec-Purpose: prefetch" "$link"
    forbid "the good link, before anyone clicks" --header "Sec-Purpose: prefetch;prerender" "$link"
    forbid "the good link, in a preview" --header "Purpose: preview" "$link"
    forbid "the good link, in Safari's preview" --header "X-Purpose: preview" "$link"
    forbid "the good link, by another site's fetch" --header "$cross_site" --header "Sec-Fetch-Dest: empty" "$link"
    case $link in
    */open-chat\?*) forbid "the good link under an encoded path" "${link%%/open-chat\?*}/open%2dchat?${link#*/open-chat\?}" ;;
    esac
    forbid "the good link as an image" --header "Sec-Fetch-Dest: image" "$link"
    forbid "the good link, posted" --request POST "$link"
    forbid "the good link, fetched by a crawler" --user-agent "Slackbot-LinkExpanding 1.0" "$link"
    forbid "the good link with a body" --request GET --data x "$link"
    if [ "$(ask "$link")" != redirect ]; then
        echo "FAILED     the good link itself"
        exit 2
    fi
    echo "works      the good link itself"
fi

[ "$forbidden" = 0 ] || { echo "$forbidden forbidden things succeeded"; exit 1; }
echo "nothing forbidden succeeded"
