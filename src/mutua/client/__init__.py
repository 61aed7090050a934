"""A typed client of the server: the six verbs over HTTP, blocking and asynchronous.

Needs the extra `client`. Both clients build their calls and read their answers with the same functions; only the
sending differs.
"""

from __future__ import annotations

from importlib.util import find_spec

from mutua.errors import MissingExtra

if find_spec("httpx") is None:
    raise MissingExtra("httpx is not installed", "the extra `client`", "pip install 'mutua[client]'")

from mutua.client.answers import (
    Adjustment,
    Attributes,
    Change,
    Export,
    Forgotten,
    Outcome,
    Problem,
    Readiness,
    Reason,
    Recorded,
    Similar,
    Slate,
    SlateItem,
    Trending,
    Why,
)
from mutua.client.asynchronous import AsyncClient
from mutua.client.blocking import Client
from mutua.client.people import UserProfile
from mutua.client.pushes import Changes, Push, PushedSlate
from mutua.client.retrying import Retry

__all__ = [
    "Adjustment",
    "AsyncClient",
    "Attributes",
    "Change",
    "Changes",
    "Client",
    "Export",
    "Forgotten",
    "Outcome",
    "Problem",
    "Push",
    "PushedSlate",
    "Readiness",
    "Reason",
    "Recorded",
    "Retry",
    "Similar",
    "Slate",
    "SlateItem",
    "Trending",
    "UserProfile",
    "Why",
]
