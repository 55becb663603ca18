#!/bin/sh
# 0: the last version is removed. 1: it is replaced by another.
if [ "$1" = 0 ] && [ -d /run/systemd/system ]; then
    systemctl --no-reload disable --now open-chat.service || :
fi
