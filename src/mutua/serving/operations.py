"""What is asked of the writing store besides events: a closed set of messages that can travel to another process."""

from __future__ import annotations

from typing import Any

import msgspec

from mutua.privacy.checks import Receipt
from mutua.privacy.forgetting import forget_event, forget_user, purge_models
from mutua.serving.conditions import Condition
from mutua.store.sqlite.store import SqliteStore


class ForgetUser(msgspec.Struct, frozen=True, tag="forget-user"):
    """Erases a user and the ids linked to him; raises as `forget_user`.

    Args:
        now: record time, microseconds UTC.
        only_if: what must hold of the user; else nothing is erased.
    """

    user: str
    now: int
    only_if: Condition | None = None

    def __call__(self, store: SqliteStore) -> Receipt:
        """Carries it out between two commits."""
        if self.only_if is not None:
            self.only_if.check(store)
        return forget_user(store, self.user, now=self.now)


class ForgetEvent(msgspec.Struct, frozen=True, tag="forget-event"):
    """Erases one event by its id; raises as `forget_event`."""

    event: str
    now: int

    def __call__(self, store: SqliteStore) -> Receipt:
        """Carries it out between two commits."""
        return forget_event(store, self.event, now=self.now)


class PurgeModels(msgspec.Struct, frozen=True, tag="purge-models"):
    """Removes the models learned before the newest Forget, after a learn."""

    def __call__(self, store: SqliteStore) -> tuple[str, ...]:
        """Carries it out between two commits and returns their versions."""
        return purge_models(store)


Operation = ForgetUser | ForgetEvent | PurgeModels
RESULTS: dict[type[Operation], Any] = {ForgetUser: Receipt, ForgetEvent: Receipt, PurgeModels: tuple[str, ...]}
"""What each returns, for who reads it from another process."""
