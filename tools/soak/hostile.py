"""Hostile connections: a bounded number that never read, never end, or send too much, all the time.

python3 tools/soak/hostile.py PORT SECONDS

Each kind of kinds.py has some slots, a connection each, from an address of its own in 127.0.0.0/8.
Where the service ends a connection, the slot opens the next one a moment later. Prints as JSON, by
kind, how the connections ended and how long they were held.
"""

import asyncio
import collections
import errno
import json
import os
import pathlib
import resource
import socket
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).parents[1] / "bench"))
from kinds import KINDS, MAX_PER_ADDRESS
from servers import MEASURING

# How long a slot waits until it connects again: with the number of slots the most connections a
# second that all of this makes.
PAUSE = 0.5
# Linux chooses a port when it connects, so that each address has all ports for itself.
IP_BIND_ADDRESS_NO_PORT = 24
RESET = "reset"
# What says nothing of the service.
TOO_LATE = "too late"
# Seconds, docs/running.md.
HEAD_TIMEOUT = 5
# The state of a socket that has received a reset.
TCP_CLOSE = 7


def start(port, seconds):
    """As a process on the load's core."""
    return subprocess.Popen(
        [sys.executable, "-B", __file__, str(port), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        # Safe here: there are no threads.
        preexec_fn=lambda: os.sched_setaffinity(0, {MEASURING}),  # noqa: PLW1509
    )


class Stranger:
    """One hostile connection."""

    def __init__(self, kind, address, port):
        self.kind = kind
        self.loop = asyncio.get_running_loop()
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        if kind.receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kind.receive_buffer)
        self.socket.bind((address, 0))
        self.port = port
        self.answer = b""
        # The service's clock runs from somewhere between these two.
        self.made = self.began = time.monotonic()

    async def trouble(self):
        """How it ended: the statuses of the answers, and what became of the connection."""
        try:
            await self.loop.sock_connect(self.socket, ("127.0.0.1", self.port))
            self.began = time.monotonic()
            await self.kind.act(self)
            end = "closed"
        except (ConnectionError, TimeoutError):
            end = RESET
        except OSError as error:
            # What shutdown(2) says of a connection that was reset before: this program, which has a
            # core to share, had not sent anything for as long as the service waits for a head.
            if error.errno != errno.ENOTCONN or time.monotonic() - self.made < HEAD_TIMEOUT:
                raise
            return TOO_LATE
        finally:
            self.socket.close()
        return " ".join([*self.statuses(), end])

    def statuses(self):
        """Each status once, as a long series of clicks has one."""
        lines = self.answer.split(b"HTTP/1.1 ")[1:]
        return list(dict.fromkeys(line[:3].decode() for line in lines))

    async def send(self, data):
        await self.loop.sock_sendall(self.socket, data)

    async def read(self, size=65536):
        data = await self.loop.sock_recv(self.socket, size)
        self.answer = (self.answer + data)[-65536:]
        return data

    async def read_to_end(self):
        while await self.read():
            pass

    async def until_cut(self, sending):
        """Reads until the service ends the connection, while this coroutine sends."""
        task = asyncio.ensure_future(sending)
        try:
            await self.read_to_end()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def is_cut(self):
        """Whether the service has reset the connection; what has come before it can still be
        read."""
        return self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_CLOSE

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Ends the connection by a reset, whatever has not been read."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


class Record:
    """What became of one kind's connections."""

    def __init__(self):
        self.ends = collections.Counter()
        self.longest = 0.0
        self.open = set()

    def begin(self, stranger):
        self.open.add(stranger)

    def end(self, stranger, how):
        self.open.remove(stranger)
        self.ends[how] += 1
        self.longest = max(self.longest, time.monotonic() - stranger.began)

    def summary(self):
        now = time.monotonic()
        oldest = max((now - stranger.began for stranger in self.open), default=0.0)
        return {"ends": dict(self.ends), "longest": self.longest, "oldest open": oldest}


async def slot(kind, record, address, port):
    """One connection after the other."""
    while True:
        stranger = Stranger(kind, address, port)
        record.begin(stranger)
        record.end(stranger, await stranger.trouble())
        await asyncio.sleep(PAUSE)


async def all_kinds(port, seconds):
    records = {kind.name: Record() for kind in KINDS}
    slots = []
    for number, kind in enumerate(KINDS):
        for _ in range(kind.slots):
            slots.append(asyncio.ensure_future(slot(kind, records[kind.name], f"127.0.0.{number + 2}", port)))
            # Not all at once, which is another attack.
            await asyncio.sleep(0.002)
    broken, _ = await asyncio.wait(slots, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    summaries = {name: record.summary() for name, record in records.items()}
    for each in slots:
        each.cancel()
    await asyncio.gather(*slots, return_exceptions=True)
    for each in broken:
        # A mistake in this program.
        each.result()
    return summaries


def main():
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * MAX_PER_ADDRESS), hard))
    print(json.dumps(asyncio.run(all_kinds(port, seconds))))


if __name__ == "__main__":
    main()
