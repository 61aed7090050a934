"""Kernels shared by models: the best of a row, ranks of targets, products of sparse rows."""

from __future__ import annotations

import numpy as np

from mutua.core.jit import kernel, parallel_kernel, prange


@kernel
def beats(score, item, other_score, other_item):
    """The order of every ranking: higher score first, then lower item index."""
    return score > other_score or (score == other_score and item < other_item)


@kernel
def sink(scores, items, size):
    """Restores the heap whose root, the worst entry, was just replaced."""
    score, item = scores[0], items[0]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and beats(scores[child], items[child], scores[child + 1], items[child + 1]):
            child += 1
        if beats(scores[child], items[child], score, item):
            break
        scores[place], items[place] = scores[child], items[child]
        place = child
    scores[place], items[place] = score, item


@kernel
def rise(scores, items, place):
    """Restores the heap whose last entry was just added."""
    score, item = scores[place], items[place]
    while place > 0:
        parent = (place - 1) // 2
        if not beats(scores[parent], items[parent], score, item):
            break
        scores[place], items[place] = scores[parent], items[parent]
        place = parent
    scores[place], items[place] = score, item


@kernel
def push(scores, items, size, score, item):
    """Offers one entry to a heap of bounded length and returns its new size."""
    if size < len(scores):
        scores[size], items[size] = score, item
        rise(scores, items, size)
        return size + 1
    if beats(score, item, scores[0], items[0]):
        scores[0], items[0] = score, item
        sink(scores, items, size)
    return size


@kernel
def best_first(scores, items, size):
    """Sorts a heap in place, best entry first."""
    for last in range(size - 1, 0, -1):
        scores[0], scores[last] = scores[last], scores[0]
        items[0], items[last] = items[last], items[0]
        sink(scores, items, last)


@kernel
def top_row(row, banned, scores, items):
    """Fills `items` and `scores` with the best of one row and returns how many there were; no −inf, none banned."""
    if len(scores) == 0:
        return 0
    free, size, item = len(banned) == 0, 0, 0
    while item < len(row) and size < len(scores):
        if row[item] > -np.inf and (free or not banned[item]):
            size = push(scores, items, size, row[item], np.int32(item))
        item += 1
    for rest in range(item, len(row)):
        if row[rest] > scores[0] and (free or not banned[rest]):
            scores[0], items[0] = row[rest], np.int32(rest)
            sink(scores, items, size)
    best_first(scores, items, size)
    return size


@kernel
def banned_of(row, n_items, banned, seen_start, seen_item):
    """Which items row `row` may not show: those banned for all and those that it has seen."""
    mask = np.zeros(n_items, np.bool_)
    if len(banned) > 0:
        mask[:] = banned
    if len(seen_start) > 0:
        for place in range(seen_start[row], seen_start[row + 1]):
            if seen_item[place] < n_items:
                mask[seen_item[place]] = True
    return mask


@parallel_kernel
def top_rows(matrix, banned, seen_start, seen_item, scores, items):
    for row in prange(len(matrix)):
        mask = banned_of(row, matrix.shape[1], banned, seen_start, seen_item)
        size = top_row(matrix[row], mask, scores[row], items[row])
        scores[row, size:] = -np.inf
        items[row, size:] = -1


@kernel
def rank_row(row, banned, targets, ranks):
    """Writes the 1-based rank of every target among the items not banned; 0 for a target that is banned."""
    count = len(targets)
    order = np.empty(count, np.int64)
    for place in range(count):
        slot = place
        while slot > 0 and beats(
            row[targets[place]], targets[place], row[targets[order[slot - 1]]], targets[order[slot - 1]]
        ):
            order[slot] = order[slot - 1]
            slot -= 1
        order[slot] = place
    worst = targets[order[count - 1]]
    ahead = np.zeros(count, np.int64)
    for item in range(len(row)):
        if row[item] < row[worst] or banned[item]:
            continue
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            target = targets[order[middle]]
            if beats(row[item], item, row[target], target):
                high = middle
            else:
                low = middle + 1
        if low < count:
            ahead[low] += 1
    before = 0
    for place in range(count):
        before += ahead[place]
        ranks[order[place]] = 0 if banned[targets[order[place]]] else before + 1


@parallel_kernel
def rank_rows(matrix, banned, seen_start, seen_item, target_start, target_item, ranks):
    for row in prange(len(matrix)):
        low, high = target_start[row], target_start[row + 1]
        if high > low:
            mask = banned_of(row, matrix.shape[1], banned, seen_start, seen_item)
            rank_row(matrix[row], mask, target_item[low:high], ranks[low:high])


@kernel
def add_rows(item, weight, start, column, value, out):
    """Adds `weight[e]` times sparse row `item[e]` to `out`."""
    for entry in range(len(item)):
        row, factor = item[entry], weight[entry]
        if row >= len(start) - 1:
            continue
        for place in range(start[row], start[row + 1]):
            out[column[place]] += factor * value[place]


@parallel_kernel
def add_all_rows(view_start, item, weight, start, column, value, out):
    for view in prange(len(view_start) - 1):
        low, high = view_start[view], view_start[view + 1]
        add_rows(item[low:high], weight[low:high], start, column, value, out[view])


@parallel_kernel
def sparse_dense(start, column, value, dense, out):
    """out = sparse · dense."""
    for row in prange(len(start) - 1):
        target = out[row]
        target[:] = 0.0
        for place in range(start[row], start[row + 1]):
            factor, source = value[place], dense[column[place]]
            for k in range(len(source)):
                target[k] += factor * source[k]


@parallel_kernel
def top_products(left, right, left_norm, right_norm, label, shrink, diagonal, chunks, scores, items, sizes):
    """Keeps the largest entries of each row of left · right, both positive, over (product of norms + shrink).

    Column c of `right` stands for item `label[c]`.
    """
    left_start, left_column, left_value = left
    right_start, right_column, right_value = right
    rows, columns = len(left_start) - 1, len(right_norm)
    for chunk in prange(chunks):
        sums = np.zeros(columns)
        touched = np.empty(columns, np.int32)
        for row in range(chunk, rows, chunks):
            count = 0
            for a in range(left_start[row], left_start[row + 1]):
                factor, middle = left_value[a], left_column[a]
                for b in range(right_start[middle], right_start[middle + 1]):
                    column = right_column[b]
                    if sums[column] == 0.0:
                        touched[count] = column
                        count += 1
                    sums[column] += factor * right_value[b]
            size, best, best_items = 0, scores[row], items[row]
            for place in range(count):
                column = touched[place]
                likeness = np.float32(sums[column] / (left_norm[row] * right_norm[column] + shrink))
                sums[column] = 0.0
                item = label[column]
                if size == len(best) and likeness < best[0]:
                    continue
                if likeness > 1e-12 and (diagonal or item != row):
                    size = push(best, best_items, size, likeness, item)
            best_first(best, best_items, size)
            sizes[row] = size
