"""Kernels of the profile fold: the weight of one event, and events gathered by item."""

from __future__ import annotations

import numpy as np

from mutua.core.jit import kernel, parallel_kernel, prange


@kernel
def event_weight(omega, half_lives, type, value, age, mean):
    if type >= omega.shape[0]:
        return 0.0
    given = 0.0 if np.isnan(value) else value
    above = 0.0 if np.isnan(value) else value - mean
    total = 0.0
    for k in range(omega.shape[2]):
        rate = omega[type, 0, k] + omega[type, 1, k] * given + omega[type, 2, k] * above
        if rate != 0.0:
            total += rate if np.isinf(half_lives[k]) else rate * 2.0 ** (-age / half_lives[k])
    return total


@kernel
def mean_value(value, valued):
    count, total = valued[:, 0].sum(), valued[:, 1].sum()
    for given in value:
        if not np.isnan(given):
            count += 1.0
            total += given
    return total / count if count > 0 else 0.0


@kernel
def slot_of(slots, keys, item):
    """Position of `item` in an open-addressing table, or of the free slot where it belongs."""
    mask = len(slots) - 1
    place = (item * 0x9E3779B1) & mask
    while slots[place] >= 0 and keys[slots[place]] != item:
        place = (place + 1) & mask
    return place


@kernel
def fold_one(item, type, value, time, tail, now, omega, half_lives, targets, out):
    """Folds one history into the rows of `out` and returns how many distinct items there were."""
    tail_time, tail_item, tail_type, tail_sums, tail_count, tail_valued, tail_last = tail
    out_item, out_weight, out_last, out_count = out
    mean = mean_value(value, tail_valued)
    size = 4
    while size < 2 * (len(item) + len(tail_item)):
        size *= 2
    slots = np.full(size, -1, np.int32)
    weights = np.zeros(len(item) + len(tail_item))
    found = 0
    for e in range(-len(tail_item), len(item)):
        in_tail = e < 0
        row = e + len(tail_item) if in_tail else e
        key = tail_item[row] if in_tail else item[row]
        place = slot_of(slots, out_item, key)
        if slots[place] < 0:
            slots[place] = found
            out_item[found] = key
            out_last[found] = -1
            out_count[found] = 0.0
            found += 1
        slot = slots[place]
        if in_tail:
            kind, newest, count = tail_type[row], tail_last[row], tail_count[row]
            if kind < omega.shape[0]:
                for k in range(omega.shape[2]):
                    fade = 1.0 if np.isinf(half_lives[k]) else 2.0 ** (-max(now - tail_time, 0) / half_lives[k])
                    one, total, valued = tail_sums[row, 0, k], tail_sums[row, 1, k], tail_sums[row, 2, k]
                    above = total - mean * valued
                    weights[slot] += fade * (
                        omega[kind, 0, k] * one + omega[kind, 1, k] * total + omega[kind, 2, k] * above
                    )
        else:
            kind, newest, count = type[row], time[row], 1.0
            weights[slot] += event_weight(omega, half_lives, kind, value[row], max(now - time[row], 0), mean)
        if kind < len(targets) and targets[kind]:
            out_last[slot] = max(out_last[slot], newest)
            out_count[slot] += count
    out_weight[:found] = weights[:found]
    return found


@parallel_kernel
def fold_all(start, item, type, value, time, no_tail, now, omega, half_lives, targets, out):
    out_item, out_weight, out_last, out_count = out
    found = np.empty(len(start) - 1, np.int64)
    for view in prange(len(start) - 1):
        low, high = start[view], start[view + 1]
        found[view] = fold_one(
            item[low:high],
            type[low:high],
            value[low:high],
            time[low:high],
            no_tail,
            now[view],
            omega,
            half_lives,
            targets,
            (out_item[low:high], out_weight[low:high], out_last[low:high], out_count[low:high]),
        )
    return found


@kernel
def event_weights(type, value, time, tail_valued, now, omega, half_lives):
    """Weight of every event, float64 [n]."""
    mean = mean_value(value, tail_valued)
    weights = np.empty(len(type))
    for e in range(len(type)):
        weights[e] = event_weight(omega, half_lives, type[e], value[e], max(now - time[e], 0), mean)
    return weights
