#!/bin/sh
# no-leaks.sh OUTPUT LOG PROCESSES: searches what a whole test run, and the processes in it, have
# printed and logged for secrets and phones in full.
set -eu
output=$1 log=$2 processes=$3

# Nothing to search would be nothing found.
grep -q '^test result: ok' "$output" || { echo "no-leaks: $output is not the output of a test run" >&2; exit 1; }
grep -q '"phone":"+38050\*\*\*4567"' "$log" || { echo "no-leaks: $log has no click in it" >&2; exit 1; }
grep -q '"level":"TRACE"' "$log" || { echo "no-leaks: $log is not at the level of TRACE" >&2; exit 1; }

grep -q '"message":"click"' "$processes" || { echo "no-leaks: $processes has no click in it" >&2; exit 1; }

# Passwords and keys of the tests are called canaries; every token is a JWT, which begins with eyJ;
# the phones are the example numbers.
for secret in 'canary' 'eyJ' 'demo-password' 'demo-profile-key' '501234567' '671234567'; do
    # The demo invites to a curl with the example number, and the simulator to log in with the
    # password that it has by default.
    invited=':  curl -i |CHATHUB_LOGIN=demo CHATHUB_PASSWORD=demo-password$'
    if found=$(grep -n -F "$secret" "$output" "$log" "$processes" | grep -v -m 3 -E "$invited"); then
        echo "no-leaks: '$secret' was printed or logged:" >&2
        echo "$found" | cut -c 1-300 >&2
        exit 1
    fi
done
echo "no-leaks: $(cat "$output" "$log" "$processes" | wc -l) lines searched, no secret and no phone in full"
