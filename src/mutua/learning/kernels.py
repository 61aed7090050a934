"""Kernels of full-ranking evaluation: where given items stand in rows of scores."""

from __future__ import annotations

from mutua.core.jit import kernel, parallel_kernel, prange


@kernel
def items_before(line, item):
    """Items before `item` in the order (score descending, index ascending); two passes without a branch."""
    score, above, level = line[item], 0, 0
    for other in range(len(line)):
        above += line[other] > score
    for other in range(item):
        level += line[other] == score
    return above + level


@parallel_kernel
def ranks_in(scores, target_start, target, banned_start, banned, missed, out):
    """Fills `out` with the rank of every target in its row, from 0; banned items do not count and are missed."""
    for row in prange(len(scores)):
        line = scores[row]
        barred = banned[banned_start[row] : banned_start[row + 1]]
        for place in range(target_start[row], target_start[row + 1]):
            item = target[place]
            rank = items_before(line, item)
            for other in barred:
                if other == item:
                    rank = missed
                    break
                if other < len(line) and (line[other] > line[item] or (line[other] == line[item] and other < item)):
                    rank -= 1
            out[place] = rank
