"""Kernels over rows of events: digests that are the same on every machine, and counts in bounded memory."""

from __future__ import annotations

import numpy as np

from mutua.core.jit import kernel

_MASK = np.uint64(0xFFFFFFFFFFFFFFFF)
_V0 = np.uint64(0x736F6D6570736575)
_V1 = np.uint64(0x646F72616E646F6D)
_V2 = np.uint64(0x6C7967656E657261)
_V3 = np.uint64(0x7465646279746573)
_BLOCK_WORDS = 8
_PROBES = 8


@kernel
def _rotated(word, bits):
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


@kernel
def _round(v0, v1, v2, v3):
    v0 += v1
    v1 = _rotated(v1, 13) ^ v0
    v0 = _rotated(v0, 32)
    v2 += v3
    v3 = _rotated(v3, 16) ^ v2
    v0 += v3
    v3 = _rotated(v3, 21) ^ v0
    v2 += v1
    v1 = _rotated(v1, 17) ^ v2
    v2 = _rotated(v2, 32)
    return v0, v1, v2, v3


@kernel
def _absorbed(v0, v1, v2, v3, word):
    v3 ^= word
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ word, v1, v2, v3


@kernel
def _finished(v0, v1, v2, v3):
    """The two words of the digest."""
    v2 ^= np.uint64(0xEE)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    first = v0 ^ v1 ^ v2 ^ v3
    v1 ^= np.uint64(0xDD)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return first, v0 ^ v1 ^ v2 ^ v3


@kernel
def _word(data, start, length):
    word = np.uint64(0)
    for position in range(length):
        word |= np.uint64(data[start + position]) << np.uint64(8 * position)
    return word


@kernel
def siphash_texts(data, offsets, key0, key1, out):
    """Fills `out` uint64 [n, 2] with SipHash-2-4-128 of the n texts `data[offsets[r]:offsets[r + 1]]`."""
    for row in range(len(offsets) - 1):
        start, end = offsets[row], offsets[row + 1]
        v0, v1, v2, v3 = _V0 ^ key0, _V1 ^ key1 ^ np.uint64(0xEE), _V2 ^ key0, _V3 ^ key1
        whole = start + (end - start) // 8 * 8
        for position in range(start, whole, 8):
            word = _word(data, position, 8)
            v0, v1, v2, v3 = _absorbed(v0, v1, v2, v3, word)
        word = _word(data, whole, end - whole) | (np.uint64((end - start) & 0xFF) << np.uint64(56))
        v0, v1, v2, v3 = _absorbed(v0, v1, v2, v3, word)
        out[row, 0], out[row, 1] = _finished(v0, v1, v2, v3)


@kernel
def siphash_words(words, key0, key1, out):
    """Fills `out` uint64 [n, 2] with SipHash-2-4-128 of the rows of `words` uint64 [n, w], read as little endian."""
    length = words.shape[1]
    for row in range(words.shape[0]):
        v0, v1, v2, v3 = _V0 ^ key0, _V1 ^ key1 ^ np.uint64(0xEE), _V2 ^ key0, _V3 ^ key1
        for position in range(length + 1):
            word = words[row, position] if position < length else np.uint64((8 * length) & 0xFF) << np.uint64(56)
            v0, v1, v2, v3 = _absorbed(v0, v1, v2, v3, word)
        out[row, 0], out[row, 1] = _finished(v0, v1, v2, v3)


@kernel
def seen_before(digests, bits):
    """Marks rows whose digest's bits were all set in the blocked Bloom filter `bits`, and sets them for the next.

    One block of 512 bits a row, so a row costs one cache miss (Putze, Sanders, Singler: Cache-, Hash- and
    Space-Efficient Bloom Filters, 2007).
    """
    blocks = np.uint64(len(bits) // _BLOCK_WORDS)
    seen = np.zeros(len(digests), np.bool_)
    for row in range(len(digests)):
        base = np.int64(digests[row, 0] % blocks) * _BLOCK_WORDS
        probe = digests[row, 1]
        every = True
        for _ in range(_PROBES // 2):
            for shift in (np.uint64(0), np.uint64(9)):
                place = (probe >> shift) & np.uint64(511)
                word = base + np.int64(place >> np.uint64(6))
                bit = np.uint64(1) << (place & np.uint64(63))
                if not bits[word] & bit:
                    every = False
                    bits[word] |= bit
            probe >>= np.uint64(16)
        seen[row] = every
    return seen


@kernel
def slot_of(keys, key):
    """Returns the place of `key` (never 0) in the open-addressing table `keys`, or that of the hole where it goes."""
    mask = np.uint64(len(keys) - 1)
    place = key & mask
    while keys[place] != np.uint64(0) and keys[place] != key:
        place = (place + np.uint64(1)) & mask
    return place


@kernel
def count_again(digests, rows, keys, counts):
    """Returns how often each of `rows` came before it, each being known to have come at least once, and how many keys
    were new. `keys` and `counts` are an open-addressing table with room for all."""
    earlier = np.zeros(len(rows), np.int64)
    added = 0
    for index in range(len(rows)):
        key = digests[rows[index], 1] | np.uint64(1)
        place = slot_of(keys, key)
        if keys[place] == np.uint64(0):
            keys[place] = key
            added += 1
        counts[place] += 1
        earlier[index] = counts[place]
    return earlier, added


@kernel
def rehash(keys, counts, new_keys, new_counts):
    """Moves an open-addressing table into a larger one."""
    for place in range(len(keys)):
        if keys[place] != np.uint64(0):
            target = slot_of(new_keys, keys[place])
            new_keys[target] = keys[place]
            new_counts[target] = counts[place]


@kernel
def near_duplicates(keys, times, nearest, last_keys, last_times):
    """Marks rows whose key came at most `nearest` µs from its last unmarked one, at another time.

    `last_keys` and `last_times` hold one entry a slot, a power of two of them; a newer key takes a slot over.
    """
    mask = np.uint64(len(last_keys) - 1)
    marked = np.zeros(len(keys), np.bool_)
    for row in range(len(keys)):
        slot = keys[row] & mask
        if last_keys[slot] == keys[row]:
            gap = abs(times[row] - last_times[slot])
            if 0 < gap <= nearest:
                marked[row] = True
                continue
        last_keys[slot] = keys[row]
        last_times[slot] = times[row]
    return marked


@kernel
def watch_users(keys, times, day, longest_gap, table, last, gaps, runs, longest_runs, busiest, days):
    """Keeps, per user, the busiest day and the longest run of equal gaps; returns how many users were new.

    Args:
        keys: uint64 [n], a digest of each row's user, never 0; times: int64 [n], µs.
        day, longest_gap: µs; larger gaps end a run.
        table, last, gaps, runs, longest_runs, busiest: an open-addressing table of users, with room for all.
        days: int32 [power of two], events by digest of user and day.
    """
    mask = np.uint64(len(days) - 1)
    added = 0
    for row in range(len(keys)):
        key, time = keys[row], times[row]
        place = slot_of(table, key)
        if table[place] == np.uint64(0):
            table[place] = key
            added += 1
        elif time != last[place]:
            gap = time - last[place]
            if 0 < gap <= longest_gap and abs(gap - gaps[place]) * 100 <= gap:
                runs[place] += 1
                longest_runs[place] = max(longest_runs[place], runs[place])
            else:
                runs[place] = 1
            gaps[place] = gap
        last[place] = time
        cell = ((key ^ np.uint64(time // day)) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)
        days[cell & mask] += 1
        busiest[place] = max(busiest[place], days[cell & mask])
    return added


@kernel
def move_users(table, columns, new_table, new_columns):
    """Moves an open-addressing table of users, `columns` int64 [5, slots], into a larger one."""
    for place in range(len(table)):
        if table[place] != np.uint64(0):
            target = slot_of(new_table, table[place])
            new_table[target] = table[place]
            new_columns[:, target] = columns[:, place]
