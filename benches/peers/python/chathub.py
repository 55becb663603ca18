"""ChatHub: the calls that a click needs, the directory of operators, and their tokens."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx


class ChatHub:
    def __init__(self, client, config):
        self.client = client
        self.login = {"login": config.login, "password": config.password}
        self.session = None
        self.logging_in = asyncio.Lock()

    async def call(self, method, path, body=None):
        """Logs in where that is needed, and once more where the session has ended."""
        session = self.session or await self.log_in(None)
        try:
            return await self.send(method, path, body, session)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 401:
                raise
        return await self.send(method, path, body, await self.log_in(session))

    async def log_in(self, refused):
        async with self.logging_in:
            if self.session == refused:
                self.session = await self.send("POST", "/api/company/get-token", self.login)
            return self.session

    async def send(self, method, path, body=None, session=None):
        headers = {"authorization": f"Bearer {session}"} if session else {}
        answer = await self.client.request(method, path, json=body, headers=headers)
        answer.raise_for_status()
        return answer.json()


class Directory:
    def __init__(self, chathub):
        self.chathub = chathub
        self.operators = {}

    def find(self, text):
        """By id or by name."""
        return self.operators.get(text.lower())

    async def refresh(self):
        operators = {}
        for organization in await self.chathub.call("GET", "/api/company/organization"):
            path = f"/api/operator?organizationId={organization['id']}"
            for operator in await self.chathub.call("GET", path):
                operators[str(operator["id"])] = operator
                operators[operator["name"].lower()] = operator
        self.operators = operators


class Tokens:
    """Operator tokens that are handed out again for a while; of several clicks, one mints."""

    def __init__(self, chathub, config):
        self.chathub = chathub
        self.reuse = config.token_reuse
        self.ttl = timedelta(seconds=config.token_ttl)
        self.kept = {}

    async def get(self, operator):
        kept = self.kept.get(operator)
        if kept is None or time.monotonic() >= kept[1] or failed(kept[0]):
            kept = (asyncio.ensure_future(self.mint(operator)), time.monotonic() + self.reuse)
            self.kept[operator] = kept
        # A caller who goes does not take the token from those who wait.
        return await asyncio.shield(kept[0])

    async def mint(self, operator):
        expires_at = (datetime.now(UTC) + self.ttl).isoformat(timespec="milliseconds")
        body = {"id": operator, "expiresAt": expires_at.replace("+00:00", "Z")}
        return await self.chathub.call("POST", "/api/operator/get-token", body)


def failed(task):
    return task.done() and (task.cancelled() or task.exception() is not None)
