"""Strangers who want a pod's memory and connections: it goes on, within the chart's limits."""

import asyncio
import contextlib
import json
import pathlib
import resource
import socket
import unittest
import urllib.request

from cluster import FEW_DESCRIPTORS
from kube import CLICK, HELMS, Namespace, in_cluster, run, until
from test_policies import redis_pod

VALUES = {
    "access": "open",
    "secrets": {"CHATHUB_LOGIN": "acme", "CHATHUB_PASSWORD": "canary-password"},
    "replicas": 1,
    "nodeSelector": {"kubernetes.io/hostname": FEW_DESCRIPTORS},
}
REQUEST = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"


async def never_reads(send, _):
    while True:
        await send(REQUEST * 2000)


async def never_ends_a_head(send, _):
    await send(b"GET / HTTP/1.1\r\nHost: x\r\n")
    while True:
        await send(b"Cookie: " + b"x" * 1000 + b"\r\n")


async def idles(send, receive):
    await send(REQUEST)
    while await receive():
        pass


class Strangers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        cls.space = cls.enterClassContext(Namespace("strangers"))
        cls.space.apply(redis_pod("elsewhere", {"app": "elsewhere"}, 6379))
        cls.space.install(HELMS[1], "buttons", in_cluster(VALUES))
        cls.space.kubectl("wait", "--for=condition=Ready", "pod/elsewhere", "--timeout=600s")
        (pod,) = cls.space.pods("buttons")
        cls.address = pod["status"]["podIP"]

    def test_the_pod_has_1024_descriptors_and_384_mib(self):
        (pod,) = self.space.pods("buttons")
        self.assertEqual(pod["spec"]["containers"][0]["resources"]["limits"], {"memory": "384Mi"})
        container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
        ctr = ("ctr", f"--address=/run/{FEW_DESCRIPTORS}/containerd.sock", "--namespace=k8s.io", "tasks", "list")
        (process,) = [line.split()[1] for line in run(*ctr).stdout.splitlines() if line.startswith(container)]
        limits = pathlib.Path(f"/proc/{process}/limits").read_text().splitlines()
        (files,) = [line.split()[3:5] for line in limits if line.startswith("Max open files")]
        self.assertEqual(files, ["1024", "1024"])

    def test_100_that_do_not_read(self):
        asyncio.run(self.besiege(100, never_reads))

    def test_250_that_do_not_read(self):
        asyncio.run(self.besiege(250, never_reads))

    def test_1300_that_idle(self):
        asyncio.run(self.besiege(1300, idles))

    def test_250_whose_heads_never_end(self):
        asyncio.run(self.besiege(250, never_ends_a_head))

    async def besiege(self, count, stranger):
        """Each comes again as long as it takes to look how the others are served."""
        self.came = 0
        self.over = asyncio.Event()
        strangers = [asyncio.create_task(self.come_again(stranger)) for _ in range(count)]
        await asyncio.to_thread(until, "all have come", lambda: self.came >= count)
        for _ in range(10):
            await asyncio.to_thread(self.assert_served)
        self.over.set()
        _, staying = await asyncio.wait(strangers, timeout=600)
        self.assertEqual(len(staying), 0, "the service sends them away")
        await asyncio.to_thread(self.assert_served)
        print(f"{count} strangers, {self.came} connections")

    async def come_again(self, stranger):
        while not self.over.is_set():
            await self.come(stranger)
            await asyncio.sleep(0.5)

    async def come(self, stranger):
        loop = asyncio.get_running_loop()
        with socket.socket() as connection, contextlib.suppress(OSError):
            connection.setblocking(False)
            try:
                await loop.sock_connect(connection, (self.address, 8080))
            finally:
                self.came += 1
            await stranger(
                lambda data: loop.sock_sendall(connection, data),
                lambda: loop.sock_recv(connection, 65536),
            )

    def assert_served(self):
        """Health, and a click from another address."""
        with urllib.request.urlopen(f"http://{self.address}:9090/healthz", timeout=60) as answer:
            self.assertEqual(answer.status, 200)
        curl = ("curl", "--silent", "--max-time", "60", "--output", "/dev/null", "--write-out", "%{http_code}")
        click = self.space.kubectl("exec", "elsewhere", "--", *curl, f"http://{self.address}:8080/open-chat?{CLICK}")
        self.assertEqual(click, "302")
        (pod,) = self.space.pods("buttons")
        status = pod["status"]["containerStatuses"][0]
        self.assertEqual((status["restartCount"], status["lastState"]), (0, {}), json.dumps(status))
