"""Exit statuses of the command line, in one table; `docs/exit-codes.md` says the same."""

from __future__ import annotations

from collections.abc import Mapping

OK, INTERNAL, USAGE, DATA, STORE, UNWELL, INTERRUPTED, CUT_OFF = 0, 1, 2, 3, 4, 5, 130, 141

EXITS: Mapping[int, str] = {
    OK: "Done, and the answer is complete.",
    INTERNAL: "A fault in Mutua itself.",
    USAGE: "An argument, option, setting or name that cannot be carried out as given.",
    DATA: "Data that cannot be accepted or do not suffice for the question.",
    STORE: "The store, a model or a backup cannot be read or written.",
    UNWELL: "A check found something wrong (`doctor`, `forget --verify`); the answer says what.",
    INTERRUPTED: "Interrupted from the keyboard, or a confirmation was refused.",
    CUT_OFF: "Whoever read the output went away before its end.",
}
"""What each status means."""
