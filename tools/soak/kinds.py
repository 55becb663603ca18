"""The kinds of hostile connections, and what each gets by the documentation: the bounds of
docs/running.md under Connections."""

import asyncio
from dataclasses import dataclass
from typing import Any

CLICK = "/open-chat?operator=101&phone=%2B380501234567&source=0"
# An answer of more than the sockets' buffers hold.
LONG = "/openapi.json"
# Connections that one address may have: half of MAX_CONNECTIONS.
MAX_PER_ADDRESS = 800
# The smallest receive buffer that Linux gives.
SMALLEST = 2304


def request(path=CLICK, headers="", method="GET"):
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode()


def cookie(size):
    return f"Cookie: {'x' * size}\r\n"


async def never_reads(stranger):
    while True:
        await stranger.send(request() * 100)


async def never_reads_a_long_page(stranger):
    while True:
        await stranger.send(request(LONG) * 100)


async def reads_slowly(stranger):
    await stranger.send(request(LONG))
    while not stranger.is_cut() and await stranger.read(16):
        await asyncio.sleep(0.1)


async def silent(stranger):
    await stranger.read_to_end()


async def drips_a_head(stranger):
    await stranger.until_cut(drip(stranger, request()[:-2] + cookie(10_000).encode()))


async def drip(stranger, data):
    for byte in data:
        await stranger.send(bytes([byte]))
        await asyncio.sleep(0.1)


async def half_a_great_head(stranger):
    await stranger.send(request(headers=cookie(15_000))[:-2])
    await stranger.read_to_end()


async def drips_a_second_head(stranger):
    await stranger.send(request())
    await stranger.read()
    await drips_a_head(stranger)


async def idles_after_an_answer(stranger):
    await stranger.send(request())
    await stranger.read_to_end()


async def head_near_the_limit(stranger):
    await stranger.send(request(headers=cookie(15_900) + "Connection: close\r\n"))
    await stranger.read_to_end()


async def head_over_the_limit(stranger):
    await stranger.send(request(headers=cookie(16_500)))
    await stranger.read_to_end()


async def endless_head(stranger):
    await stranger.until_cut(without_end(stranger, request()[:-2], cookie(1_000).encode()))


async def many_headers(stranger):
    await stranger.send(request(headers="".join(f"X-{number}: y\r\n" for number in range(150))))
    await stranger.read_to_end()


async def half_closed_in_a_head(stranger):
    await stranger.send(request()[:-2])
    stranger.half_close()
    await stranger.read_to_end()


async def half_closed_after_a_click(stranger):
    await stranger.send(request())
    stranger.half_close()
    await stranger.read_to_end()


async def resets_in_a_head(stranger):
    await stranger.send(request()[:-2])
    stranger.reset()


async def resets_before_the_answer(stranger):
    await stranger.send(request() * 3)
    stranger.reset()


async def body_promised(stranger):
    await stranger.send(request("/links", "Content-Length: 16000\r\n", "POST"))
    await stranger.read_to_end()


async def click_with_a_body_promised(stranger):
    await stranger.send(request(headers="Content-Length: 16000\r\n"))
    await stranger.read_to_end()


async def endless_chunks(stranger):
    head = request("/links", "Transfer-Encoding: chunked\r\n", "POST")
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    await stranger.until_cut(without_end(stranger, head, chunk))


async def dripping_chunks(stranger):
    await stranger.send(request("/links", "Transfer-Encoding: chunked\r\n", "POST"))
    await stranger.until_cut(drip(stranger, b"1\r\nx\r\n" * 1000))


async def without_end(stranger, head, part):
    await stranger.send(head)
    while True:
        await stranger.send(part)


async def tls_hello(stranger):
    await stranger.send(b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + b"\xaa" * 194)
    await stranger.read_to_end()


# A click may also meet ChatHub's faults.
CLICKED = {"302", "429", "502", "503", "504"}


@dataclass(frozen=True)
class Kind:
    name: str
    act: Any
    slots: int
    # Seconds within which the service ends the connection.
    within: float
    # The statuses that it may answer first; with `None` a connection that ends without a word.
    statuses: set
    receive_buffer: int = 0


KINDS = [
    Kind("never reads its clicks", never_reads, 8, 20, {None}, SMALLEST),
    Kind("never reads a long page", never_reads_a_long_page, 8, 20, {None}, SMALLEST),
    Kind("reads a long page slowly", reads_slowly, 8, 20, {"200"}, SMALLEST),
    Kind("sends nothing", silent, 8, 5, {None}),
    Kind("drips a head", drips_a_head, 8, 5, {"408"}),
    Kind("half of a great head", half_a_great_head, 8, 5, {"408"}),
    Kind("a click, then drips a head", drips_a_second_head, 8, 5, CLICKED),
    Kind("a click, then nothing", idles_after_an_answer, 8, 75, CLICKED),
    Kind("a head near the limit", head_near_the_limit, 4, 10, CLICKED),
    Kind("a head over the limit", head_over_the_limit, 4, 1, {"431"}),
    Kind("a head without an end", endless_head, 4, 1, {"431", None}),
    Kind("150 headers", many_headers, 4, 1, {"431"}),
    Kind("half-closed in a head", half_closed_in_a_head, 4, 5, {None}),
    Kind("half-closed after a click", half_closed_after_a_click, 4, 10, CLICKED),
    Kind("resets in a head", resets_in_a_head, 4, 1, {None}),
    Kind("resets before the answer", resets_before_the_answer, 4, 1, {None}),
    Kind("a body promised", body_promised, 8, 10, {"400"}),
    Kind("a click with a body promised", click_with_a_body_promised, 4, 5, {"400"}),
    Kind("chunks without an end", endless_chunks, 4, 10, {"400", None}),
    Kind("dripping chunks", dripping_chunks, 8, 10, {"400"}),
    Kind("TLS on the plain port", tls_hello, 4, 1, {"400"}),
    Kind("a crowd at one address", silent, MAX_PER_ADDRESS + 40, 5, {None}),
]
