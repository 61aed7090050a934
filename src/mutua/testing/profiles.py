"""Laws of the profile fold, each a named check that anyone can run on events of their own.

Every law takes the interactions of one user in log order (times may go back, as they arrive), an encoder and a scoring
time, and raises AssertionError where the fold breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from mutua.core.clock import HOUR
from mutua.core.seeds import stream
from mutua.events.interactions import Interactions
from mutua.profiles import fold, kernels
from mutua.profiles.encoder import BASES, HALF_LIVES, Encoder
from mutua.profiles.history import EMPTY, History

Law = Callable[[Interactions, Encoder, int], None]
TOLERANCE = 1e-9
"""Relative difference allowed where only the order of additions differs."""
SMALL_WINDOW = 5
UNBOUNDED = 1 << 40


def recorded(rows: Interactions, window: int = UNBOUNDED, order: Iterable[int] | None = None) -> History:
    """Returns the history of `rows` taken one by one, in log order or in the given order of arrival."""
    history = EMPTY
    for row in range(len(rows)) if order is None else order:
        history = history.add(
            int(rows.item[row]),
            int(rows.type[row]),
            float(rows.value[row]),
            int(rows.time[row]),
            int(rows.sequence[row]),
            window,
        )
    return history


def exact_weights(history: History, encoder: Encoder, now: int, n_items: int) -> npt.NDArray[np.float64]:
    """Returns h_u(now) before it is rounded to float32, float64 [n_items]."""
    tail = history.tail
    mean = kernels.mean_value(history.value, tail.valued)
    old = kernels.weights_of_tail(tail.type, tail.sums, tail.last, now, mean, encoder.channels, HALF_LIVES)[0]
    totals = np.zeros(n_items)
    np.add.at(totals, tail.item, old)
    np.add.at(totals, history.item, fold.evidence(history, encoder, now).weight)
    return totals


def incremental_is_replay(rows: Interactions, encoder: Encoder, now: int) -> None:
    """A profile kept event by event, one replayed, and one folded at once from the log have equal bits."""
    for window in (UNBOUNDED, SMALL_WINDOW):
        live, replayed = recorded(rows, window), recorded(rows, window)
        _assert_same_bits(live, replayed)
        in_order = recorded(rows.by_time(), window)
        _assert_same_bits(in_order, fold.history_of(rows.by_user(), 0).bounded(window))
    _assert_same_bits(recorded(rows), fold.history_of(rows.by_user(), 0))
    _assert_equal_views(recorded(rows), rows, encoder, now)


def _assert_equal_views(history: History, rows: Interactions, encoder: Encoder, now: int) -> None:
    one = fold.view(history, encoder, now)
    batch = fold.views(rows.by_user(), encoder, now, np.zeros(1, np.int32))
    for name in ("start", "item", "weight", "last", "count", "now", "size"):
        np.testing.assert_array_equal(getattr(one, name), getattr(batch, name), err_msg=name)


def order_of_arrival_is_free(rows: Interactions, encoder: Encoder, now: int) -> None:
    """Events that arrive in any order give one profile: equal bits in the window, 1e-9 with a tail."""
    shuffled = stream(0, "arrival").permutation(len(rows)).tolist()
    _assert_same_bits(recorded(rows), recorded(rows, order=shuffled))
    newest = int(rows.time.max(initial=0))
    _assert_near(
        recorded(rows, SMALL_WINDOW),
        recorded(rows, SMALL_WINDOW, shuffled),
        encoder,
        max(now, newest),
        rows.n_items,
    )


def window_and_tail_are_everything(rows: Interactions, encoder: Encoder, now: int) -> None:
    """What left the window still counts: the bounded profile weighs as the unbounded one, to 1e-9."""
    moment = max(now, int(rows.time.max(initial=0)))
    bounded, unbounded = recorded(rows, SMALL_WINDOW), recorded(rows)
    assert len(bounded) <= SMALL_WINDOW, f"{len(bounded)} events in a window of {SMALL_WINDOW}"
    assert bounded.version == unbounded.version, "the version changed with the window"
    _assert_near(bounded, unbounded, encoder, moment, rows.n_items)
    small, whole = (fold.view(history, encoder, moment) for history in (bounded, unbounded))
    by_item = np.argsort(small.item), np.argsort(whole.item)
    for name in ("item", "last", "count"):
        ours, theirs = getattr(small, name)[by_item[0]], getattr(whole, name)[by_item[1]]
        np.testing.assert_array_equal(ours, theirs, err_msg=name)


def removal_takes_away_its_weight(rows: Interactions, encoder: Encoder, now: int) -> None:
    """Without an event, its item weighs less by the event's evidence and every other item keeps its bits.

    The user's mean value is held fixed, so the base above the mean is left out.
    """
    linear = _with_base(encoder, lambda base: base != "above-mean")
    history = recorded(rows)
    evidence = fold.evidence(history, linear, now)
    before = exact_weights(history, linear, now, rows.n_items)
    size = np.zeros(rows.n_items)
    np.add.at(size, history.item, np.abs(evidence.weight))
    for event in range(len(history)):
        after = exact_weights(history.without(evidence.sequence[event : event + 1]), linear, now, rows.n_items)
        item = int(evidence.item[event])
        lost = before[item] - after[item]
        slack = 1e-12 * max(size[item], 1e-300)
        assert abs(lost - evidence.weight[event]) <= slack, f"lost {lost}, evidence {evidence.weight[event]}"
        others = np.arange(rows.n_items) != item
        np.testing.assert_array_equal(after[others], before[others])


def evidence_adds_up(rows: Interactions, encoder: Encoder, now: int) -> None:
    """The weights of the events are the weights of the view, to the last bit that float32 keeps."""
    history = recorded(rows)
    view = fold.view(history, encoder, now)
    exact = exact_weights(history, encoder, now, rows.n_items)
    np.testing.assert_array_equal(view.weight, exact[view.item].astype(np.float32))
    assert set(view.item.tolist()) == set(rows.item.tolist()), "the view and the log name different items"


def decay_composes(rows: Interactions, encoder: Encoder, now: int) -> None:
    """Waiting s and then t fades as waiting s + t, and each half-life by its own power of two."""
    moment = max(now, int(rows.time.max(initial=0)))
    history = recorded(rows, SMALL_WINDOW)
    for column, half_life in enumerate(HALF_LIVES):
        weights = np.zeros_like(encoder.weights)
        weights[:, :, column] = encoder.weights.sum(axis=2)
        single = Encoder(weights, encoder.targets)
        soon = exact_weights(history, single, moment, rows.n_items)
        late = exact_weights(history, single, moment + 3 * HOUR, rows.n_items)
        faded = soon * np.exp2(-3 * HOUR / half_life)
        np.testing.assert_allclose(late, faded, rtol=TOLERANCE, atol=TOLERANCE * np.abs(faded).max(initial=1e-300))


def bases_add_up(rows: Interactions, encoder: Encoder, now: int) -> None:
    """The encoder's weights are the sum of what each value base adds, and values above the mean cancel unfaded."""
    history = recorded(rows)
    parts = [exact_weights(history, _with_base(encoder, name.__eq__), now, rows.n_items) for name in BASES]
    size = np.abs(parts).sum()
    whole = exact_weights(history, encoder, now, rows.n_items)
    np.testing.assert_allclose(np.sum(parts, axis=0), whole, rtol=0, atol=TOLERANCE * max(size, 1e-300))
    types = int(rows.type.max(initial=0)) + 1
    above = exact_weights(history, Encoder.of(np.ones(types), bases=(0.0, 0.0, 1.0)), now, rows.n_items)
    spread = np.nansum(np.abs(rows.value)) if len(rows) else 0.0
    assert abs(above.sum()) <= TOLERANCE * max(float(spread), 1e-300), f"deviations sum to {above.sum()}"


def growing_changes_no_reader(rows: Interactions, encoder: Encoder, now: int) -> None:
    """A history that was handed out stays as it was, whatever is added to it or to its branches."""
    history = EMPTY
    kept: list[tuple[History, tuple[bytes, ...], bytes]] = []
    for row in range(len(rows)):
        parts = (int(rows.item[row]), int(rows.type[row]), float(rows.value[row]), int(rows.time[row]))
        branch = history.add(1_000_000, *parts[1:], int(rows.sequence[row]), SMALL_WINDOW)
        history = history.add(*parts, int(rows.sequence[row]), SMALL_WINDOW)
        kept += [(grown, _bits(grown), fold.view(grown, encoder, now).weight.tobytes()) for grown in (branch, history)]
    for reader, bits, weights in kept:
        assert _bits(reader) == bits, "a history changed after it was handed out"
        assert fold.view(reader, encoder, now).weight.tobytes() == weights, "a view of it changed"
    _assert_same_bits(history, recorded(rows, SMALL_WINDOW))


LAWS: Mapping[str, Law] = {
    "incremental is replay": incremental_is_replay,
    "order of arrival is free": order_of_arrival_is_free,
    "window and tail are everything": window_and_tail_are_everything,
    "removal takes away its weight": removal_takes_away_its_weight,
    "evidence adds up": evidence_adds_up,
    "decay composes": decay_composes,
    "bases add up": bases_add_up,
    "growing changes no reader": growing_changes_no_reader,
}
"""Every law of the fold by name."""


def _with_base(encoder: Encoder, keep: Callable[[str], bool]) -> Encoder:
    kept = np.array([1.0 if keep(base) else 0.0 for base in BASES])
    return Encoder(encoder.weights * kept[None, :, None], encoder.targets)


def _bits(history: History) -> tuple[bytes, ...]:
    return tuple(column.tobytes() for column in (*history.columns, *history.tail.columns))


def _assert_same_bits(one: History, other: History) -> None:
    assert _bits(one) == _bits(other), "two histories of one log differ"
    assert one.version == other.version, "two histories of one log have different versions"


def _assert_near(one: History, other: History, encoder: Encoder, now: int, n_items: int) -> None:
    size = exact_weights(other, Encoder(np.abs(encoder.weights), encoder.targets), now, n_items)
    ours, theirs = (exact_weights(history, encoder, now, n_items) for history in (one, other))
    slack = TOLERANCE * np.abs(size).max(initial=1e-300)
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=slack)
