"""Read from the variables that open-chat itself reads."""

import ipaddress
import os
import re
from dataclasses import dataclass

from link import parse_source

UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Config:
    chathub_url: str
    login: str
    password: str
    panel_url: str
    api_key: str
    networks: list
    region: str
    senders: dict
    token_reuse: int
    token_ttl: int
    directory_refresh: int
    client_limit: str
    operator_limit: str


def env(name, fallback=""):
    return os.environ.get(name) or fallback


def seconds(text):
    match = re.fullmatch(r"(\d+)([smh])", text)
    if not match:
        raise ValueError(f"{text} is no duration such as 5m")
    return int(match[1]) * UNITS[match[2]]


def limit(text):
    """600/m, as the `limits` library writes it."""
    match = re.fullmatch(r"(\d+)/([smh])", text)
    if not match:
        raise ValueError(f"{text} is no limit such as 600/m")
    unit = {"s": "second", "m": "minute", "h": "hour"}[match[2]]
    return f"{match[1]}/{unit}"


def senders(text):
    pairs = (entry.split("=", 1) for entry in text.split(",") if entry)
    return {parse_source(name): sender for name, sender in pairs}


config = Config(
    chathub_url=env("CHATHUB_URL", "https://chatapi.smsbat.com"),
    login=env("CHATHUB_LOGIN"),
    password=env("CHATHUB_PASSWORD"),
    panel_url=env("CHAT_PANEL_URL", "https://chat.smsbat.com/"),
    api_key=env("API_KEY"),
    networks=[ipaddress.ip_network(text) for text in env("ALLOWED_NETWORKS").split(",") if text],
    region=env("DEFAULT_REGION", "UA"),
    senders=senders(env("SENDERS")),
    token_reuse=seconds(env("TOKEN_REUSE", "5m")),
    token_ttl=seconds(env("TOKEN_TTL", "60m")),
    directory_refresh=seconds(env("DIRECTORY_REFRESH", "60s")),
    client_limit=limit(env("RATE_LIMIT_CLIENT", "600/m")),
    operator_limit=limit(env("RATE_LIMIT_OPERATOR", "30/m")),
)
