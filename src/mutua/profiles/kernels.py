"""Kernels of the profile fold: the weight of one event, events gathered by item, old events gathered in a tail."""

from __future__ import annotations

import numpy as np

from mutua.core.jit import kernel, parallel_kernel, prange

UNDERFLOW = 1075.0
"""2^−1075 rounds to zero in float64, so older parts need no power."""


@kernel
def fade(age, half_life):
    """2^{−age/half-life}; the future has age 0."""
    if age <= 0 or np.isinf(half_life):
        return 1.0
    halvings = age / half_life
    return np.exp2(-halvings) if halvings < UNDERFLOW else 0.0


@kernel
def mean_value(value, valued):
    count, total = valued[:, 0].sum(), valued[:, 1].sum()
    for given in value:
        if not np.isnan(given):
            count += 1.0
            total += given
    return total / count if count > 0 else 0.0


@kernel
def add_faded(weights, type, time, one, total, above, now, omega, half_life):
    """Adds to float64 [channels, n] what each row's count, values and values above the mean weigh at one half-life."""
    part = np.empty(len(type))
    for row in range(len(type)):
        part[row] = fade(now - time[row], half_life)
    for c in range(omega.shape[0]):
        by_type = omega[c]
        for row in range(len(type)):
            kind = type[row]
            if kind < len(by_type):
                rate = by_type[kind, 0] * one[row] + by_type[kind, 1] * total[row] + by_type[kind, 2] * above[row]
                weights[c, row] += part[row] * rate


@kernel
def weights_of_events(type, value, time, now, mean, omega, half_lives):
    """Weights of every event, float64 [channels, n]."""
    weights = np.zeros((omega.shape[0], len(type)))
    one, given, above = np.ones(len(type)), np.zeros(len(type)), np.zeros(len(type))
    for e in range(len(type)):
        if not np.isnan(value[e]):
            given[e], above[e] = value[e], value[e] - mean
    for k in range(len(half_lives)):
        if omega[:, :, :, k].any():
            add_faded(weights, type, time, one, given, above, now, omega[:, :, :, k], half_lives[k])
    return weights


@kernel
def weights_of_tail(type, sums, last, now, mean, omega, half_lives):
    """Weights of every row of a tail, float64 [channels, n]."""
    weights = np.zeros((omega.shape[0], len(type)))
    for k in range(len(half_lives)):
        if omega[:, :, :, k].any():
            one, total, above = sums[:, 0, k], sums[:, 1, k], sums[:, 1, k] - mean * sums[:, 2, k]
            add_faded(weights, type, last, one, total, above, now, omega[:, :, :, k], half_lives[k])
    return weights


@kernel
def empty_slots(count):
    """An open-addressing table that stays at most half full with `count` entries."""
    size = 4
    while size < 2 * count:
        size *= 2
    return np.full(size, -1, np.int32)


@kernel
def slot_of(slots, keys, item):
    """Position of `item` in an open-addressing table, or of the free slot where it belongs."""
    mask = len(slots) - 1
    place = ((item ^ (item >> 16)) * 0x9E3779B1) & mask
    while slots[place] >= 0 and keys[slots[place]] != item:
        place = (place + 1) & mask
    return place


@kernel
def gather(slots, found, item, type, weight, time, count, targets, total, out_item, out_last, out_count):
    """Adds parts to the rows of their items, new rows behind `found`, and returns how many rows there are."""
    for e in range(len(item)):
        place = slot_of(slots, out_item, item[e])
        slot = slots[place]
        if slot < 0:
            slot = slots[place] = found
            out_item[found], out_last[found], out_count[found] = item[e], -1, 0.0
            found += 1
        for c in range(len(weight)):
            total[c, slot] += weight[c, e]
        if type[e] < len(targets) and targets[type[e]]:
            out_last[slot] = max(out_last[slot], time[e])
            out_count[slot] += count[e]
    return found


@kernel
def fold_window(item, type, value, time, now, omega, half_lives, targets, out_item, out_weight, out_last, out_count):
    """Folds events into rows by item and returns how many distinct items there were."""
    mean = mean_value(value, np.zeros((0, 2)))
    weight = weights_of_events(type, value, time, now, mean, omega, half_lives)
    slots, total, once = empty_slots(len(item)), np.zeros(weight.shape), np.ones(len(item))
    found = gather(slots, 0, item, type, weight, time, once, targets, total, out_item, out_last, out_count)
    out_weight[:, :found] = total[:, :found]
    return found


@kernel
def fold_view(item, type, value, time, now, omega, half_lives, targets, ints, wide, out_weight, out_count):
    """As `fold_window` into the buffers of one view: `ints` is its size and items, `wide` its start, now and last."""
    found = fold_window(
        item, type, value, time, now, omega, half_lives, targets, ints[1:], out_weight, wide[3:], out_count
    )
    ints[0], wide[0], wide[1], wide[2] = len(item), 0, found, now
    return found


@kernel
def fold_view_with_tail(
    tail, item, type, value, time, now, omega, half_lives, targets, ints, wide, out_weight, out_count
):
    """As `fold_view`, the rows of a tail before the events."""
    old_item, old_type, sums, old_count, valued, last = tail
    mean = mean_value(value, valued)
    old_weight = weights_of_tail(old_type, sums, last, now, mean, omega, half_lives)
    weight = weights_of_events(type, value, time, now, mean, omega, half_lives)
    room, out_item, out_last = len(old_item) + len(item), ints[1:], wide[3:]
    slots, total, once = empty_slots(room), np.zeros((len(omega), room)), np.ones(len(item))
    found = gather(
        slots, 0, old_item, old_type, old_weight, last, old_count, targets, total, out_item, out_last, out_count
    )
    found = gather(slots, found, item, type, weight, time, once, targets, total, out_item, out_last, out_count)
    out_weight[:, :found] = total[:, :found]
    ints[0], wide[0], wide[1], wide[2] = room, 0, found, now
    return found


@parallel_kernel
def fold_all(
    start, item, type, value, time, now, omega, half_lives, targets, out_item, out_weight, out_last, out_count
):
    """Folds every view `start[v]:start[v + 1]` into the same stretch of the output; returns distinct items by view."""
    found = np.empty(len(start) - 1, np.int64)
    for view in prange(len(start) - 1):
        low, high = start[view], start[view + 1]
        found[view] = fold_window(
            item[low:high],
            type[low:high],
            value[low:high],
            time[low:high],
            now[view],
            omega,
            half_lives,
            targets,
            out_item[low:high],
            out_weight[:, low:high],
            out_last[low:high],
            out_count[low:high],
        )
    return found


@kernel
def event_weights(type, value, time, tail_valued, now, omega, half_lives):
    """Weights of every event, float64 [channels, n]."""
    return weights_of_events(type, value, time, now, mean_value(value, tail_valued), omega, half_lives)


@kernel
def fold_into_tail(item, type, value, time, half_lives, rows, out):
    """Copies the rows of a tail to `out`, folds events into them, new rows behind; returns how many rows there are.

    A row's sums stand at its `last`: they move on to the later of both times, then grow by the event's faded part.
    """
    out_item, out_type, sums, count, valued, last = out
    known = len(rows[0])
    out_item[:known], out_type[:known], sums[:known] = rows[0], rows[1], rows[2]
    count[:known], valued[:known], last[:known] = rows[3], rows[4], rows[5]
    keys = np.empty(len(out_item), np.int64)
    slots = empty_slots(len(out_item))
    for row in range(known):
        keys[row] = (np.int64(out_item[row]) << 16) | out_type[row]
        slots[slot_of(slots, keys, keys[row])] = row
    for e in range(len(item)):
        key = (np.int64(item[e]) << 16) | type[e]
        place = slot_of(slots, keys, key)
        row = slots[place]
        if row < 0:
            row = slots[place] = known
            keys[row], out_item[row], out_type[row], last[row] = key, item[e], type[e], time[e]
            sums[row], count[row], valued[row] = 0.0, 0.0, 0.0
            known += 1
        given = not np.isnan(value[e])
        instant = max(last[row], time[e])
        for k in range(len(half_lives)):
            part = fade(instant - time[e], half_lives[k])
            sums[row, :, k] *= fade(instant - last[row], half_lives[k])
            sums[row, 0, k] += part
            if given:
                sums[row, 1, k] += part * value[e]
                sums[row, 2, k] += part
        count[row] += 1.0
        if given:
            valued[row, 0] += 1.0
            valued[row, 1] += value[e]
        last[row] = instant
    return known
