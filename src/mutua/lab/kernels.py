"""Kernels of the replay."""

from __future__ import annotations

from mutua.core.jit import kernel


@kernel
def ranks_by_running_count(item, asked, counted, banned_start, banned, counts, out):
    """Walks over events: where asked, writes the item's rank by the counts so far; then counts the item if counted."""
    place = 0
    for event in range(len(item)):
        if asked[event]:
            own, score = item[event], counts[item[event]]
            rank, level = 0, 0
            for other in range(len(counts)):
                rank += counts[other] > score
            for other in range(own):
                level += counts[other] == score
            rank += level
            for barred in range(banned_start[place], banned_start[place + 1]):
                other = banned[barred]
                rank -= counts[other] > score or (counts[other] == score and other < own)
            out[place] = rank
            place += 1
        if counted[event]:
            counts[item[event]] += 1
