#!/bin/sh
# The service is not started at its first installation: it has no settings yet.
set -e
unit=open-chat.service
case "$1" in
    configure | abort-upgrade | abort-deconfigure | abort-remove)
        deb-systemd-helper unmask $unit >/dev/null || true
        if deb-systemd-helper --quiet was-enabled $unit && deb-systemd-helper debian-installed $unit; then
            deb-systemd-helper enable $unit >/dev/null || true
        fi
        deb-systemd-helper update-state $unit >/dev/null || true
        if [ -d /run/systemd/system ]; then
            systemctl --system daemon-reload >/dev/null || true
            [ -z "$2" ] || deb-systemd-invoke try-restart $unit >/dev/null || true
        fi
        ;;
esac
