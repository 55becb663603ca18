"""The button's back end as it would be written in Python in an afternoon: FastAPI and well-known
libraries. What it does and does not do is in ../README.md.

uvicorn main:app --workers 1 --no-access-log
"""

import asyncio
import contextlib
import ipaddress
import logging
import secrets
import sys
import time
from typing import Annotated

import httpx
import orjson
import structlog
from chathub import ChatHub, Directory, Tokens
from config import config
from fastapi import FastAPI, Query, Request, Response
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from link import Refusal, deep_link
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}

structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.JSONRenderer(serializer=orjson.dumps),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
    cache_logger_on_first_use=True,
)
log = structlog.get_logger()

requests = Counter("http_requests", "Answers, by status.", ["status"])
seconds = Histogram("http_request_duration_seconds", "Seconds that a click took.")

limiter = FixedWindowRateLimiter(MemoryStorage())
client_limit = parse(config.client_limit)
operator_limit = parse(config.operator_limit)


@contextlib.asynccontextmanager
async def lifespan(app):
    async with httpx.AsyncClient(base_url=config.chathub_url, timeout=2) as client:
        chathub = ChatHub(client, config)
        app.state.directory = Directory(chathub)
        app.state.tokens = Tokens(chathub, config)
        await app.state.directory.refresh()
        refreshing = asyncio.create_task(keep_fresh(app.state.directory))
        yield
        refreshing.cancel()


async def keep_fresh(directory):
    while True:
        await asyncio.sleep(config.directory_refresh)
        try:
            await directory.refresh()
        except httpx.HTTPError as error:
            log.warning("the directory could not be read", error=str(error))


app = FastAPI(lifespan=lifespan, openapi_url=None)


@app.get("/healthz")
async def healthz():
    return Response("ok\n")


@app.get("/metrics")
async def metrics():
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@app.get("/open-chat")
async def open_chat(
    request: Request,
    operator: str = "",
    phone: str = "",
    source: str = "",
    sender: Annotated[str, Query(alias="from")] = "",
):
    began = time.perf_counter()
    request_id = secrets.token_hex(16)
    seen = {}
    try:
        location = await open_for(request, operator, phone, source, sender, seen)
        status, outcome = 302, "redirect"
        answer = Response(status_code=status, headers={"location": location})
    except Refusal as refusal:
        status, outcome = refusal.status, refusal.kind
    except httpx.HTTPError:
        status, outcome = 502, "chathub-unavailable"
    if status != 302:
        body = {"title": outcome, "status": status, "request_id": request_id}
        answer = Response(orjson.dumps(body), status, media_type="application/problem+json")
    answer.headers.update({**HEADERS, "x-request-id": request_id})
    took = time.perf_counter() - began
    requests.labels(status).inc()
    seconds.observe(took)
    log.info(
        "click", request_id=request_id, status=status, outcome=outcome,
        duration_us=round(took * 1e6), client=request.client.host, **seen,
    )  # fmt: skip
    return answer


async def open_for(request, operator, phone, source, sender, seen):
    check_caller(request)
    if not operator:
        raise Refusal(400, "operator-missing")
    found = request.app.state.directory.find(operator)
    if found is None:
        raise Refusal(404, "operator-unknown")
    if found["status"] != 0:
        raise Refusal(403, "operator-inactive")
    seen["operator"] = found["id"]
    link = deep_link(phone, source, sender, config, seen)
    for limit, name, key in (
        (client_limit, "client", request.client.host),
        (operator_limit, "operator", str(found["id"])),
    ):
        if not await limiter.hit(limit, name, key):
            raise Refusal(429, "rate-limited")
    return f"{link}&token={await request.app.state.tokens.get(found['id'])}"


def check_caller(request):
    if config.networks:
        client = ipaddress.ip_address(request.client.host)
        if not any(client in network for network in config.networks):
            raise Refusal(403, "not-allowed")
    if config.api_key:
        shown = request.headers.get("authorization", "")
        if not secrets.compare_digest(shown.encode(), f"Bearer {config.api_key}".encode()):
            raise Refusal(403, "not-allowed")
