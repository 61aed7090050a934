"""Kernels of the joint model: spectral products, top-K rows, and ranking one or many profile views."""

from __future__ import annotations

import numpy as np

from mutua.core.jit import kernel, parallel_kernel, prange, prefetch

Place = np.uintp
"""Places of the hottest loops are unsigned: a signed one is checked for counting from the end at every access."""
ROUNDING = np.float32(2.5e-7)
"""More than two steps of float32 at 1."""
LINE = Place(16)
"""Numbers of four bytes in a line of the cache."""


@parallel_kernel
def inner_products(start, column, left, out):
    """out[entry] = left[row] · left[column[entry]] above the diagonal of a symmetric pattern; 0 elsewhere."""
    width = left.shape[1]
    for row in prange(len(start) - 1):
        mine = left[row]
        for entry in range(start[row], start[row + 1]):
            other = column[entry]
            if other > row:
                theirs = left[other]
                total = np.float32(0)
                for k in range(width):
                    total += mine[k] * theirs[k]
                out[entry] = total


@kernel
def mirror(start, column, value):
    """Copies the upper triangle of a symmetric pattern with sorted columns onto the lower."""
    place = start[:-1].copy()
    for row in range(len(start) - 1):
        for entry in range(start[row], start[row + 1]):
            other = column[entry]
            if other > row:
                value[place[other]] = value[entry]
                place[other] += 1


@kernel
def push(values, keys, value, key):
    """Replaces the least of a min-heap and restores the heap."""
    size = values.shape[0]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and values[child + 1] < values[child]:
            child += 1
        if values[child] >= value:
            break
        values[place] = values[child]
        keys[place] = keys[child]
        place = child
    values[place] = value
    keys[place] = key


@parallel_kernel
def largest_in_rows(start, column, value, gain, most):
    """The `most` largest positive value·gain[column] a row, off the diagonal: values and columns (−1: none)."""
    rows = len(start) - 1
    values = np.zeros((rows, most), np.float32)
    keys = np.full((rows, most), -1, np.int32)
    for row in prange(rows):
        for entry in range(start[row], start[row + 1]):
            other = column[entry]
            if other != row:
                candidate = value[entry] * gain[other]
                if candidate > values[row, 0]:
                    push(values[row], keys[row], candidate, other)
    return values, keys


@parallel_kernel
def largest_dense(block, values, columns):
    """The entries of largest absolute value of every row, with their sign; 0 is never kept."""
    for row in prange(len(block)):
        sizes = np.zeros(values.shape[1], np.float32)
        for column in range(block.shape[1]):
            size = abs(block[row, column])
            if size > sizes[0]:
                push(sizes, columns[row], size, column)
        for place in range(len(sizes)):
            if columns[row, place] >= 0:
                values[row, place] = block[row, columns[row, place]]


@parallel_kernel
def largest_entries(start, value, most):
    """Marks the `most` entries of largest absolute value of every row."""
    kept = np.zeros(len(value), np.bool_)
    for row in prange(len(start) - 1):
        low, high = start[row], start[row + 1]
        if high - low <= most:
            kept[low:high] = True
            continue
        sizes = np.full(most, -1, np.float32)
        places = np.full(most, -1, np.int64)
        for entry in range(low, high):
            if abs(value[entry]) > sizes[0]:
                push(sizes, places, abs(value[entry]), entry)
        for place in places:
            kept[place] = True
    return kept


@kernel
def fetch(item, start, column, value):
    """Asks for the rows of these items ahead of use, so that their way from memory overlaps."""
    for place in range(len(item)):
        row = item[place]
        if row < len(start) - 1:
            for entry in range(Place(start[row]), Place(start[row + 1]), LINE):
                prefetch(column, entry)
                prefetch(value, entry)


@kernel
def accumulate(item, weight, start, column, value, buffer):
    """Adds weight · row of every item to `buffer`."""
    fetch(item, start, column, value)
    for place in range(len(item)):
        row, scale = item[place], weight[place]
        if scale != 0 and row < len(start) - 1:
            for entry in range(Place(start[row]), Place(start[row + 1])):
                buffer[Place(column[entry])] += scale * value[entry]


@kernel
def insert(values, keys, count, value, key):
    """Puts an entry into lists sorted by falling value, then rising key; returns the new count."""
    size = len(values)
    if count == size:
        if value < values[size - 1] or (value == values[size - 1] and key > keys[size - 1]):
            return count
        place = size - 1
    else:
        place = count
        count += 1
    while place > 0 and (values[place - 1] < value or (values[place - 1] == value and keys[place - 1] > key)):
        values[place] = values[place - 1]
        keys[place] = keys[place - 1]
        place -= 1
    values[place] = value
    keys[place] = key
    return count


@kernel
def best_base(base, base_order, banned, buffer, n):
    """Lists of n entries, the first of `base_order` without a sum in them, and how many there are."""
    values, keys = np.full(n, -np.inf, np.float32), np.empty(n, np.int32)
    count = 0
    for key in base_order:
        if count == n:
            break
        if buffer[key] == np.float32(0) and not (len(banned) > 0 and banned[key]):
            values[count], keys[count] = base[key], key
            count += 1
    return values, keys, count


@kernel
def rank(key, base, banned, buffer, values, keys, count):
    """Moves one item's sum, if it has any, from `buffer` to the lists; returns how many entries they have."""
    value = buffer[key]
    buffer[key] = np.float32(0)
    if value == np.float32(0) or value == -np.inf or (len(banned) > 0 and banned[key]):
        return count
    return insert(values, keys, count, value + base[key], key)


@kernel
def take(item, weight, start, column, base, highest, banned, buffer, values, keys, count):
    """As `rank` for what the rows of these items added; most is below what can still enter the lists."""
    last = len(values) - 1
    least = entry_level(values[last], highest)
    for place in range(len(item)):
        row = item[place]
        if weight[place] == 0 or row >= len(start) - 1:
            continue
        for entry in range(Place(start[row]), Place(start[row + 1])):
            key = Place(column[entry])
            if buffer[key] < least:
                buffer[key] = np.float32(0)
                continue
            count = rank(key, base, banned, buffer, values, keys, count)
            least = entry_level(values[last], highest)
    return count


@kernel
def entry_level(last, highest):
    """No sum below it enters the lists, whatever its base; lower by what the sums may be rounded by."""
    return last - highest - abs(last) * ROUNDING


@kernel
def shut_out(excluded, buffer):
    """Puts excluded items below all others."""
    for place in range(len(excluded)):
        if excluded[place] < len(buffer):
            buffer[excluded[place]] = -np.inf


@kernel
def wipe(items, buffer):
    """Clears the sums of these items."""
    for place in range(len(items)):
        if items[place] < len(buffer):
            buffer[items[place]] = np.float32(0)


@kernel
def top_one(item, weight, recent, own, influence, following, base, base_order, excluded, banned, buffer, n):
    """The n best items of one view: influence of its weights, following of its recent weights, own terms, base.

    `base_order` is by falling base, then item; `banned` may be empty; `buffer` is 0 before and after.
    """
    accumulate(item, weight, influence[0], influence[1], influence[2], buffer)
    accumulate(item, recent, following[0], following[1], following[2], buffer)
    for place in range(len(own)):
        if item[place] < len(base):
            buffer[item[place]] += own[place]
    shut_out(excluded, buffer)
    values, keys, count = best_base(base, base_order, banned, buffer, n)
    highest = base[base_order[0]]
    for place in range(len(own)):
        if item[place] < len(base):
            count = rank(item[place], base, banned, buffer, values, keys, count)
    count = take(item, weight, influence[0], influence[1], base, highest, banned, buffer, values, keys, count)
    count = take(item, recent, following[0], following[1], base, highest, banned, buffer, values, keys, count)
    wipe(excluded, buffer)
    return keys[:count], values[:count]


@kernel
def top_by_influence(item, weight, start, column, value, base, base_order, excluded, banned, buffer, n):
    """As `top_one` where there are neither recent nor own terms: fewer arguments, so quicker to call."""
    accumulate(item, weight, start, column, value, buffer)
    shut_out(excluded, buffer)
    values, keys, count = best_base(base, base_order, banned, buffer, n)
    count = take(item, weight, start, column, base, base[base_order[0]], banned, buffer, values, keys, count)
    wipe(excluded, buffer)
    return keys[:count], values[:count]


@kernel
def score_one(item, weight, recent, own, influence, following, row):
    """Adds influence, following and own terms of one view to `row`, float32 [items]."""
    for place in range(len(item)):
        key = item[place]
        if key < len(row):
            row[key] += own[place]
        if key < len(influence[0]) - 1:
            for entry in range(influence[0][key], influence[0][key + 1]):
                row[influence[1][entry]] += weight[place] * influence[2][entry]
        if recent[place] != 0 and key < len(following[0]) - 1:
            for entry in range(following[0][key], following[0][key + 1]):
                row[following[1][entry]] += recent[place] * following[2][entry]


@parallel_kernel
def score_all(view_start, item, weight, recent, own, influence, following, out):
    """As `score_one` for every view on all cores, each to its row of `out`, float32 [b, items]."""
    for view in prange(len(view_start) - 1):
        low, high = view_start[view], view_start[view + 1]
        score_one(item[low:high], weight[low:high], recent[low:high], own[low:high], influence, following, out[view])


@kernel
def entries_to(start, column, value, source, target):
    """The entry of every source's row in column `target`, float64; 0 where there is none. Columns ascend in a row."""
    found = np.zeros(len(source))
    for place in range(len(source)):
        row = source[place]
        if row >= len(start) - 1:
            continue
        low, high = start[row], start[row + 1]
        while low < high:
            middle = (low + high) // 2
            if column[middle] < target:
                low = middle + 1
            else:
                high = middle
        if low < start[row + 1] and column[low] == target:
            found[place] = value[low]
    return found


@kernel
def following_pairs(user, item, time, reach, fading, gap, half_life):
    """Pairs (earlier item, later item, weight) within a sitting: `reach` distinct items back.

    The weight of the r-th is fading^(r − 1), halved for every `half_life` between the two.
    """
    count = 0
    room = 1024
    source, target, weight = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.float32)
    recent = np.empty(reach, np.int32)
    for event in range(len(user)):
        found = 0
        before = event - 1
        while before >= 0 and found < reach and user[before] == user[event] and time[event] - time[before] <= gap:
            earlier = item[before]
            fresh = earlier != item[event]
            for place in range(found):
                fresh = fresh and recent[place] != earlier
            if fresh:
                if count == room:
                    room *= 2
                    source, target, weight = doubled(source), doubled(target), doubled(weight)
                source[count], target[count] = earlier, item[event]
                weight[count] = fading**found * 2.0 ** (-(time[event] - time[before]) / half_life)
                recent[found] = earlier
                found += 1
                count += 1
            before -= 1
    return source[:count], target[:count], weight[:count]


@kernel
def doubled(column):
    """The column with as much room again behind it."""
    grown = np.empty(2 * len(column), column.dtype)
    grown[: len(column)] = column
    return grown


@kernel
def interpolated(knots, heights, x):
    """Value at x of the function through (knots, heights), flat beyond its ends."""
    last = len(knots) - 1
    if x <= knots[0]:
        return heights[0]
    if x >= knots[last]:
        return heights[last]
    place = 0
    while x >= knots[place + 1]:
        place += 1
    share = (x - knots[place]) / (knots[place + 1] - knots[place])
    return heights[place] * (1 - share) + heights[place + 1] * share


@kernel
def repeat_terms(start, item, last, count, near, usual, now, rate, curves, mixed):
    """The repeat term of every entry of the views, float32 [m]: a probability, 0 where there was no target event.

    `curves` holds knots and heights over log gap, log count, log of both decayed counts, and rate.
    """
    terms = np.zeros(len(item), np.float32)
    for view in range(len(start) - 1):
        for place in range(start[view], start[view + 1]):
            if count[place] <= 0 or item[place] >= len(rate):
                continue
            days = np.log(max((now[view] - last[place]) / 86_400e6, 1e-4))
            times = np.log(max(count[place], np.float32(1.0)))
            known = rate[item[place]]
            odds = mixed[0] + known * (mixed[1] * times + mixed[2] * (days - 3.0))
            odds += interpolated(curves[0][0], curves[0][1], days)
            odds += interpolated(curves[1][0], curves[1][1], times)
            odds += interpolated(curves[2][0], curves[2][1], np.log(max(near[place], np.float32(1e-3))))
            odds += interpolated(curves[3][0], curves[3][1], np.log(max(usual[place], np.float32(1e-3))))
            odds += interpolated(curves[4][0], curves[4][1], known)
            terms[place] = 1.0 / (1.0 + np.exp(-odds))
    return terms
