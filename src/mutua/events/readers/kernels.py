"""One pass over the bytes of a delimited text: where rows begin and end, how many fields, what is wrong with them."""

from __future__ import annotations

import numpy as np

from mutua.core.jit import kernel

BROKEN, NUL, BLANK, LONG, STRAY, HIGH = 1, 2, 4, 8, 16, 32
"""Flags of a row: unbalanced quotes, a NUL byte, nothing in it, too long, a quote inside a bare field, bytes ≥ 128."""

_START, _BARE, _QUOTED, _CLOSED = 0, 1, 2, 3
_NEWLINE, _RETURN = 10, 13


@kernel
def scan(data, separator, quote, expected, final, longest, reach, starts, ends, lines, fields, flags):
    """Splits `data` (uint8) into rows and returns (rows, bytes consumed, lines consumed).

    Quotes follow RFC 4180. A quoted field may span lines, but where the quoting turns out wrong (text after the closing
    quote, no closing quote within `reach` bytes, a wrong number of fields) only its first line is given up, flagged
    `BROKEN`, and reading goes on with the next line.

    Args:
        separator, quote: byte values, `quote` −1 for none.
        expected: number of fields that a row of several lines must have.
        final: whether `data` ends the file, so that its last line needs no newline.
        longest: bytes beyond which a row is flagged `LONG`.
        reach: bytes over which a quoted field may stretch.
        starts, ends, lines, fields, flags: filled, one entry a row, `lines` counted from 0 in `data`.
    """
    size = len(data)
    row, line, at = 0, 0, 0
    while at < size:
        begin, count, flag, state, breaks, first_break, broken = at, 1, 0, _START, 0, -1, False
        while at < size:
            byte = data[at]
            if state == _QUOTED:
                if byte == quote:
                    state = _CLOSED
                elif byte == _NEWLINE:
                    breaks += 1
                    if first_break < 0:
                        first_break = at
                if at - begin > reach:
                    broken = True
                    break
            elif byte == _NEWLINE:
                break
            elif state == _CLOSED:
                if byte == separator:
                    count += 1
                    state = _START
                elif byte == quote:
                    state = _QUOTED
                elif byte != _RETURN:
                    broken = True
                    break
            elif byte == separator:
                count += 1
                state = _START
            elif byte == quote and state == _START:
                state = _QUOTED
            else:
                state = _BARE
                if byte == quote:
                    flag |= STRAY
            if byte == 0:
                flag |= NUL
            elif byte >= 128:
                flag |= HIGH
            at += 1
        if at == size and not broken:
            if not final:
                return row, begin, line
            broken = state == _QUOTED
        if broken or (breaks > 0 and count != expected):
            flag |= BROKEN
            at = first_break if first_break >= 0 else at
            while at < size and data[at] != _NEWLINE:
                at += 1
            if at == size and not final:
                return row, begin, line
            breaks = 0
        end = at
        if end > begin and data[end - 1] == _RETURN:
            end -= 1
        if end == begin:
            flag |= BLANK
        if end - begin > longest:
            flag |= LONG
        starts[row], ends[row], lines[row], fields[row], flags[row] = begin, end, line, count, flag
        row += 1
        line += breaks + 1
        at += 1
    return row, size, line


@kernel
def unfit_ids(data, offsets, longest):
    """Marks the texts `data[offsets[r]:offsets[r + 1]]` that cannot be ids: empty, too long, or with control
    characters (U+0000–1F, U+007F–9F)."""
    unfit = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(unfit)):
        start, end = offsets[row], offsets[row + 1]
        bad = end == start or end - start > longest
        for position in range(start, end):
            byte = data[position]
            if (
                byte < 32
                or byte == 127
                or (byte < 160 and position > start and data[position - 1] == 194 and byte > 127)
            ):
                bad = True
        unfit[row] = bad
    return unfit
