"""Token buckets: never more than granted, never starving, bounded in number."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.errors import RateLimited
from mutua.serving.security.rates import ROUNDING, Buckets, Rate, retry_after, sender_of


class Clock:
    def __init__(self, now=1_000.0):
        self.now = now

    def __call__(self):
        return self.now


steps = st.lists(st.tuples(st.floats(0, 20), st.floats(0.01, 8)), min_size=1, max_size=60)


@given(steps, st.floats(0.1, 50), st.floats(1, 20))
def test_no_span_of_time_is_granted_more_than_rate_times_time_and_burst(taken, per_second, burst):
    clock = Clock()
    buckets, granted = Buckets(Rate(per_second, burst), clock=clock), []
    for pause, cost in taken:
        clock.now += pause
        if buckets.take("ann", cost) == 0:
            granted.append((clock.now, cost))
    for first, (start, _) in enumerate(granted):
        total = 0.0
        for moment, cost in granted[first:]:
            total += cost
            assert total <= per_second * (moment - start + ROUNDING) + burst + 1e-6


@given(steps, st.floats(0.1, 50), st.floats(1, 20))
def test_who_waits_as_told_is_granted_and_not_sooner(taken, per_second, burst):
    clock = Clock()
    buckets = Buckets(Rate(per_second, burst), clock=clock)
    for pause, cost in taken:
        clock.now += pause
        wait = buckets.take("ann", cost)
        if cost > burst:
            assert wait == math.inf
        elif wait > 0:
            now = clock.now
            if wait > 4 * ROUNDING:
                clock.now = now + wait - min(wait / 2, 1e-3)
                assert buckets.take("ann", cost) > 0
            clock.now = now + wait
            assert buckets.take("ann", cost) == 0


@given(st.lists(st.text(max_size=3), max_size=200), st.integers(1, 5))
def test_the_number_of_buckets_is_bounded(senders, most):
    buckets = Buckets(Rate(), most, Clock())
    for sender in senders:
        buckets.take(sender)
        assert len(buckets) <= most


def test_the_bucket_asked_longest_ago_makes_room():
    clock = Clock()
    buckets = Buckets(Rate(1, 1), 2, clock)
    assert [buckets.take(sender) for sender in "ab"] == [0, 0]
    clock.now += 1
    assert [buckets.take(sender) for sender in "ac"] == [0, 0]
    assert buckets.take("a") > 0, "was kept, for it was asked lately"
    assert buckets.take("b") == 0, "had made room"


def test_senders_do_not_share():
    buckets = Buckets(Rate(1, 1), clock=Clock())
    assert (buckets.take("a"), buckets.take("a"), buckets.take("b")) == (0, 1, 0)


def test_a_refusal_takes_nothing():
    clock = Clock()
    buckets = Buckets(Rate(1, 2), clock=clock)
    buckets.take("a", 2)
    for _ in range(100):
        assert buckets.take("a", 2) == 2
    clock.now += 2
    assert buckets.take("a", 2) == 0


def test_the_error_says_when_to_come_again():
    buckets = Buckets(Rate(0.5, 1), clock=Clock())
    buckets.demand("a")
    with pytest.raises(RateLimited, match="after 2 s") as caught:
        buckets.demand("a")
    assert caught.value.wait == 2
    with pytest.raises(RateLimited, match="less at once"):
        buckets.demand("a", 5)


def test_whole_seconds_to_wait():
    assert [retry_after(wait) for wait in (0.0, 1.0, 1.01, 1e9, math.inf)] == [1, 1, 2, 3600, 3600]


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1:aaaa::1", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:bbbb::2", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("not:an:address", "not:an:address"),
        ("x" * 100, "x" * 64),
    ],
)
def test_whom_an_address_counts_as(address, sender):
    assert sender_of(address) == sender
