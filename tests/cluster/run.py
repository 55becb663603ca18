#!/usr/bin/env python3
"""Runs a command in a cluster of its own, by default all tests of this folder.

    tests/cluster/run.py                                         all tests
    tests/cluster/run.py python3 -m unittest -v test_upgrade     one file
    tests/cluster/run.py bash                                    look around: kubectl, helm, curl

The command runs in the cluster's network, so it reaches pods, Services and Traefik by their
addresses. When it ends, or this process is interrupted or killed, all of the cluster ends.
"""

import pathlib
import signal
import subprocess
import sys

from cluster import HERE, TOOLS, Cluster

PYTHON = pathlib.Path(__file__).parents[2] / "target/tools/python/bin/python"
ALL = (PYTHON, "-m", "unittest", "discover", "--start-directory", HERE)


def interrupted(number, _):
    raise SystemExit(128 + number)


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    with Cluster() as cluster:
        command = sys.argv[1:] or ALL
        status = subprocess.run([*cluster.prefix(), *map(str, command)], check=False).returncode
        if status:
            print(f"the logs of the cluster's programs are in {TOOLS / 'logs'}", file=sys.stderr)
    # Only now, since the end of a cluster can fail as well.
    sys.exit(status)


if __name__ == "__main__":
    main()
