#!/bin/sh
set -e
unit=open-chat.service
if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
fi
case "$1" in
    remove)
        deb-systemd-helper mask $unit >/dev/null || true
        ;;
    purge)
        deb-systemd-helper purge $unit >/dev/null || true
        deb-systemd-helper unmask $unit >/dev/null || true
        # Secrets are not left behind.
        rm -rf /etc/open-chat
        ;;
esac
