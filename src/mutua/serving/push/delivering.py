"""The delivery of triggers as signed POSTs: admitted by quiet hours and cap, tried again, given up at last.

A receiver may get a delivery twice (its answer was lost): `Mutua-Delivery` names it, and the body's kind, user, item
and sequence name the trigger.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import msgspec

from mutua.core import clock
from mutua.core.clock import SECOND
from mutua.serving.push import signing
from mutua.serving.push.letters import Delivery
from mutua.serving.push.outbox import Outbox
from mutua.serving.push.posting import Answer, Refused, post
from mutua.serving.push.quiet import awake, day_of
from mutua.serving.push.webhooks import Webhook, WebhookSettings, pause

BATCH = 100
"""Notices admitted, and deliveries tried at one hook, in one step."""
STEP = 10.0
"""Seconds after which a hook's part of a step ends, so that a slow receiver holds up the others only briefly."""


class Step(msgspec.Struct, frozen=True):
    """What one step did: notices admitted, capped and put off; deliveries done, failed (to be tried again) and dead."""

    admitted: int = 0
    capped: int = 0
    deferred: int = 0
    done: int = 0
    failed: int = 0
    dead: int = 0

    def __add__(self, other: Step) -> Step:
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return Step(*(one + more for one, more in pairs))


Tried = tuple[Delivery, Answer | None]
"""A delivery and what came of it; None where the address must not be posted to."""


class Delivering:
    """Works off an outbox, step by step; one thread at a time.

    Args:
        now: microseconds UTC; draw: a number from 0 to 1 for the jitter; ticks: seconds of a clock that never jumps.
        stopped: whether to try no more.

    Raises:
        ConfigError: code `config.invalid`; as `WebhookSettings.checked`.
    """

    def __init__(
        self,
        outbox: Outbox,
        settings: WebhookSettings,
        now: Callable[[], int] = clock.now,
        draw: Callable[[], float] = random.random,
        ticks: Callable[[], float] = monotonic,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._outbox, self._settings = outbox, settings.checked()
        self._now, self._draw, self._ticks, self._stopped = now, draw, ticks, stopped

    def step(self) -> Step:
        """Admits what may be told now and tries what is due, all hooks side by side; returns what came of it."""
        done = self._admit()
        due = [(hook, self._due(hook)) for hook in self._settings.hooks]
        busy = [(hook, deliveries) for hook, deliveries in due if deliveries]
        if busy:
            with ThreadPoolExecutor(len(busy)) as pool:
                for tried in pool.map(lambda work: self._try(*work), busy):
                    done = sum(map(self._settle, tried), done)
        return done

    def _admit(self) -> Step:
        done, quiet = Step(), self._settings.quiet
        now = self._now()
        for notice in self._outbox.waiting(now, BATCH):
            until = awake(now, notice.zone, quiet)
            if until > now:
                self._outbox.defer(notice.id, until)
                done += Step(deferred=1)
                continue
            hooks = [hook.name for hook in self._settings.hooks if notice.kind in hook.kinds]
            day = day_of(now, notice.zone, quiet.zone)
            admitted = self._outbox.admit(notice, day, self._settings.cap, hooks, now)
            done += Step(admitted=1) if admitted else Step(capped=1)
        return done

    def _due(self, hook: Webhook) -> list[Delivery]:
        """The deliveries that may go now; those whose quiet hours began while they waited are put off."""
        now, ready = self._now(), []
        for delivery in self._outbox.due(hook.name, now, BATCH):
            until = awake(now, delivery.zone, self._settings.quiet)
            if until > now:
                self._outbox.settle(delivery.id, "pending", delivery.attempts, until)
            else:
                ready.append(delivery)
        return ready

    def _try(self, hook: Webhook, deliveries: Sequence[Delivery]) -> list[Tried]:
        """Tries one after the other; once a receiver is silent the rest waits for a while, and keeps its attempts."""
        tried: list[Tried] = []
        started = self._ticks()
        for delivery in deliveries:
            if self._stopped():
                break
            answer = self._post(hook, delivery)
            tried.append((delivery, answer))
            if answer is None or answer.status == 0 or self._ticks() - started > STEP:
                break
        return tried

    def _post(self, hook: Webhook, delivery: Delivery) -> Answer | None:
        seconds = self._now() // SECOND
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Mutua",
            "Mutua-Delivery": str(delivery.id),
            signing.HEADER: signing.signature(hook.key(), seconds, delivery.body),
        }
        try:
            return post(hook.url, delivery.body, headers, self._settings.timeout, self._settings.private)
        except Refused:
            return None

    def _settle(self, tried: Tried) -> Step:
        delivery, answer = tried
        attempts, now = delivery.attempts + 1, self._now()
        if answer is not None and answer.delivered:
            self._outbox.settle(delivery.id, "done", attempts, now)
            return Step(done=1)
        error = "an address of a private net" if answer is None else answer.reason
        if answer is None or attempts >= self._settings.attempts:
            self._outbox.settle(delivery.id, "dead", attempts, now, error)
            return Step(dead=1)
        again = now + int(pause(attempts, self._settings, self._draw()) * SECOND)
        if answer.status == 0:
            self._outbox.postpone(delivery.hook, now + int(pause(1, self._settings, self._draw()) * SECOND))
        self._outbox.settle(delivery.id, "pending", attempts, again, error)
        return Step(failed=1)
