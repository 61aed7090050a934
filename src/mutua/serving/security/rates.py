"""How often: a token bucket for each sender, bounded in number."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated

import msgspec

from mutua.errors import RateLimited

Clock = Callable[[], float]
"""Seconds that never go back."""
ROUNDING = 1e-6
"""Seconds; who waited as told is not sent away for the last digit of a floating-point number."""
NETWORK_BITS = 64
"""Of an IPv6 address: one subscriber has all addresses of such a network."""


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much one sender is granted.

    Args:
        per_second: units a second in the long run.
        burst: units at once after a pause; also the largest cost.
    """

    per_second: Annotated[float, msgspec.Meta(gt=0)] = 100.0
    burst: Annotated[float, msgspec.Meta(ge=1)] = 200.0

    def part(self, among: int) -> Rate:
        """Returns what each of several processes grants of it."""
        return Rate(self.per_second / among, max(self.burst / among, 1.0))


class Buckets:
    """Token buckets by sender, each a single number: the moment at which it will be full again.

    In any span of t seconds a sender is granted at most `per_second * (t + ROUNDING) + burst` units, as long as its
    bucket is kept. The bucket that was asked longest ago makes room for a new one, so memory is bounded whoever
    calls; keep keys and addresses in two of these, so that strangers never crowd out those with keys. For one thread.

    Args:
        rate: of each sender.
        senders: buckets kept at most, about 200 bytes each.
        clock: seconds that never go back.

    Example:
        >>> buckets = Buckets(Rate(per_second=2.0, burst=1.0), clock=lambda: 7.0)
        >>> buckets.take("ann"), buckets.take("ann"), buckets.take("bob")
        (0.0, 0.5, 0.0)
    """

    def __init__(self, rate: Rate, senders: int = 10_000, clock: Clock = time.monotonic) -> None:
        self._rate, self._senders, self._clock = rate, senders, clock
        self._full: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full)

    def take(self, sender: str, cost: float = 1.0) -> float:
        """Takes units and returns 0, or takes none and returns the seconds after which they are there; O(1).

        Args:
            sender: a key's id, or what `sender_of` says of an address.
            cost: units, above 0; one above `burst` is never granted and answered with infinity.
        """
        if cost > self._rate.burst:
            return math.inf
        now = self._clock()
        taken = max(self._full.get(sender, now) - now, 0.0) + cost / self._rate.per_second
        wait = taken - self._rate.burst / self._rate.per_second
        if wait > ROUNDING:
            return wait
        self._full[sender] = now + taken
        self._full.move_to_end(sender)
        if len(self._full) > self._senders:
            self._full.popitem(last=False)
        return 0.0

    def demand(self, sender: str, cost: float = 1.0) -> None:
        """Takes units.

        Raises:
            RateLimited: code `rate.limited`, with the seconds to wait; nothing was taken.
        """
        wait = self.take(sender, cost)
        if wait > 0:
            soon = math.isfinite(wait)
            raise RateLimited(
                "more requests than one sender is granted",
                f"{self._rate.per_second:g} a second, {self._rate.burst:g} at once",
                f"send it again after {retry_after(wait)} s" if soon else "send less at once",
                wait,
            )


def retry_after(wait: float) -> int:
    """Returns seconds to wait as `Retry-After` gives them: whole ones, at least 1, at most an hour.

    Example:
        >>> retry_after(0.2), retry_after(2.1), retry_after(float("inf"))
        (1, 3, 3600)
    """
    return 3600 if wait >= 3600 else max(1, math.ceil(wait))


def sender_of(address: str) -> str:
    """Returns whom an address counts as: itself, and for IPv6 its network of 64 bits.

    Example:
        >>> sender_of("192.0.2.7"), sender_of("2001:db8::1:2:3:4"), sender_of("::ffff:192.0.2.7")
        ('192.0.2.7', '2001:db8::/64', '192.0.2.7')
    """
    if ":" not in address:
        return address[:64]
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), NETWORK_BITS), strict=False))
