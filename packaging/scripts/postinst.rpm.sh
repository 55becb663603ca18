#!/bin/sh
# The service is not started at its first installation: it has no settings yet.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
fi
