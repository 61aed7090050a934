"""The outbox: triggers and their deliveries in a file of their own beside the store, so that they survive a restart.

A notice is one trigger for one user; once it is admitted there is one delivery for every hook that wants it. States
of a notice: `waiting`, then `admitted` or `capped`. Of a delivery: `pending`, then `done` or `dead`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from msgspec import Raw

from mutua.core.clock import DAY
from mutua.errors import StoreFull
from mutua.serving.push.ledger import Ledger
from mutua.serving.push.letters import DeadLetter, Delivery, Notice, OutboxCounts, body_of, digest_of
from mutua.serving.push.triggers import Trigger

KEPT = 7 * DAY
"""For how long what was delivered or capped is kept, so that it is not told twice."""
LETTERS = 30 * DAY
"""For how long anything else is kept, dead letters too."""
MOST = 500_000
"""Notices kept at most."""


def beside(store: Path | None) -> Path | None:
    """Returns where the outbox of a store stands: `shop.outbox.db` beside `shop.db`; None for one in memory."""
    return None if store is None else store.with_name(f"{store.stem}.outbox.db")


class Outbox:
    """One connection to an outbox, for one thread at a time; other processes may have it open too.

    Raises:
        StoreVersion: code `store.version`; a file of another program, or of a newer version.
        StoreError: code `store.failed`.
    """

    def __init__(self, path: Path | None) -> None:
        self._ledger = Ledger(path)

    def put(self, triggers: Sequence[tuple[Trigger, str]], seen: int, now: int) -> int:
        """Keeps triggers, each with its user's time zone, and returns how many were new.

        Args:
            seen: the log's sequence number up to which triggers were found.

        Raises:
            StoreFull: code `store.full`; too many are kept, or the disk is full. Nothing of the call was kept.
        """
        sql = (
            "INSERT INTO notice (digest, user, kind, zone, body, made, due) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (digest) DO NOTHING"
        )
        with self._ledger.transaction():
            kept = self._ledger.number("SELECT count(*) FROM notice")
            if kept + len(triggers) > MOST:
                raise StoreFull(
                    f"an outbox of {kept} notices", f"at most {MOST}", "see to the receivers, dead letters go"
                )
            fresh = sum(
                self._ledger.change(sql, (digest_of(one), one.user, one.kind, zone, body_of(one), now, now))
                for one, zone in triggers
            )
            self._ledger.change("UPDATE progress SET seen = max(seen, ?)", (seen,))
        return fresh

    @property
    def seen(self) -> int:
        """The log's sequence number up to which triggers were put here."""
        return self._ledger.number("SELECT seen FROM progress")

    def waiting(self, now: int, limit: int) -> list[Notice]:
        """Returns notices whose time has come, the oldest first."""
        sql = "SELECT id, user, kind, zone FROM notice WHERE state = 'waiting' AND due <= ? ORDER BY due, id LIMIT ?"
        return [Notice(*row) for row in self._ledger.rows(sql, (now, limit))]

    def defer(self, notice: int, due: int) -> None:
        """Lets a notice wait until `due`."""
        self._ledger.change("UPDATE notice SET due = ? WHERE id = ?", (due, notice))

    def admit(self, notice: Notice, day: str, cap: int, hooks: Iterable[str], now: int) -> bool:
        """Makes the deliveries of a notice, unless the user had `cap` notices on that day; returns whether it did."""
        with self._ledger.transaction():
            had = self._ledger.number(
                "SELECT count(*) FROM notice WHERE user = ? AND day = ? AND state = 'admitted'", (notice.user, day)
            )
            state = "admitted" if had < cap else "capped"
            self._ledger.change("UPDATE notice SET state = ?, day = ? WHERE id = ?", (state, day, notice.id))
            for hook in hooks if had < cap else ():
                self._ledger.change("INSERT INTO delivery (notice, hook, due) VALUES (?, ?, ?)", (notice.id, hook, now))
        return had < cap

    def due(self, hook: str, now: int, limit: int) -> list[Delivery]:
        """Returns the deliveries to a hook whose time has come, the oldest first."""
        sql = (
            "SELECT delivery.id, hook, zone, body, attempts FROM delivery JOIN notice ON notice.id = notice "
            "WHERE hook = ? AND delivery.state = 'pending' AND delivery.due <= ? "
            "ORDER BY delivery.due, delivery.id LIMIT ?"
        )
        return [Delivery(*row) for row in self._ledger.rows(sql, (hook, now, limit))]

    def settle(self, delivery: int, state: str, attempts: int, due: int, error: str = "") -> None:
        """Notes what came of a delivery: `done`, `dead`, or `pending` until `due`."""
        sql = "UPDATE delivery SET state = ?, attempts = ?, due = ?, error = ? WHERE id = ?"
        self._ledger.change(sql, (state, attempts, due, error, delivery))

    def postpone(self, hook: str, until: int) -> None:
        """Puts off what is due at a hook before `until`; nothing was tried."""
        sql = "UPDATE delivery SET due = ? WHERE hook = ? AND state = 'pending' AND due < ?"
        self._ledger.change(sql, (until, hook, until))

    def dead(self, limit: int = 100, after: int = 0) -> list[DeadLetter]:
        """Returns the dead letters in order of their numbers, starting after one."""
        sql = (
            "SELECT delivery.id, hook, user, kind, attempts, error, body FROM delivery "
            "JOIN notice ON notice.id = notice "
            "WHERE delivery.state = 'dead' AND delivery.id > ? ORDER BY delivery.id LIMIT ?"
        )
        return [DeadLetter(*(*row[:-1], Raw(row[-1]))) for row in self._ledger.rows(sql, (after, limit))]

    def redeliver(self, now: int, letters: Sequence[int] | None = None) -> int:
        """Sends dead letters on their way again, all of them or those named, and returns how many."""
        sql = "UPDATE delivery SET state = 'pending', attempts = 0, due = ?, error = '' WHERE state = 'dead'"
        if letters is None:
            return self._ledger.change(sql, (now,))
        with self._ledger.transaction():
            return sum(self._ledger.change(f"{sql} AND id = ?", (now, letter)) for letter in letters)

    def drop(self, letters: Sequence[int] | None = None) -> int:
        """Removes dead letters, all of them or those named, and returns how many."""
        sql = "DELETE FROM delivery WHERE state = 'dead'"
        if letters is None:
            return self._ledger.change(sql)
        with self._ledger.transaction():
            return sum(self._ledger.change(f"{sql} AND id = ?", (letter,)) for letter in letters)

    def forget(self, user: str) -> int:
        """Erases all notices of a user and their deliveries, in free pages and the journal too; returns how many."""
        gone = self._ledger.change("DELETE FROM notice WHERE user = ?", (user,))
        self._ledger.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def tidy(self, now: int) -> int:
        """Removes what was settled long ago, and all that is very old; returns how many notices."""
        return self._ledger.change(
            "DELETE FROM notice WHERE made < ? OR made < ? AND state <> 'waiting' AND NOT EXISTS "
            "(SELECT 1 FROM delivery WHERE notice = notice.id AND state <> 'done')",
            (now - LETTERS, now - KEPT),
        )

    def counts(self) -> OutboxCounts:
        """Returns how much of what is kept."""
        notices = dict(self._ledger.rows("SELECT state, count(*) FROM notice GROUP BY state"))
        deliveries = dict(self._ledger.rows("SELECT state, count(*) FROM delivery GROUP BY state"))
        return OutboxCounts(
            notices.get("waiting", 0),
            notices.get("capped", 0),
            *(deliveries.get(state, 0) for state in ("pending", "done", "dead")),
        )

    def close(self) -> None:
        """Closes the file; closing twice is harmless."""
        self._ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
