"""Errors as a person or a program reads them."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from mutua.cli import exits
from mutua.errors import MutuaError, UsageError

REPORT = "report it with the command and the traceback that --debug shows, without personal data"
UNEXPECTED = "internal"
"""Code of an error that is a fault of Mutua's own."""


def tell(error: MutuaError, as_json: bool) -> int:
    """Writes an error to stderr and returns its exit status."""
    _write(error.code, error.came, error.expected, error.do, as_json)
    return error.exit_status


def unexpected(error: Exception, as_json: bool, debug: bool) -> int:
    """Writes what is known of a fault of Mutua's own to stderr and returns its exit status."""
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    came = f"{type(error).__name__}: {error}"[:500]
    _write(UNEXPECTED, came, "no fault in Mutua", REPORT, as_json)
    return exits.INTERNAL


def usage(error: Exception, arguments: Sequence[str], commands: Collection[str]) -> UsageError:
    """Returns what the parser of the command line refused as an error of Mutua's."""
    format_message = getattr(error, "format_message", error.__str__)
    came = str(format_message()).rstrip(".")
    words = [word for word in arguments if not word.startswith("-")]
    if words and words[0] in commands:
        return UsageError(came, f"a command line as `mutua {words[0]} --help` shows", "correct it")
    near = get_close_matches(words[0], commands, 1) if words else []
    do = f"did you mean `mutua {near[0]}`?" if near else "see `mutua --help`"
    return UsageError(came, f"one of {', '.join(commands)}", do)


def _write(code: str, came: str, expected: str, do: str, as_json: bool) -> None:
    if as_json:
        text = json.dumps({"code": code, "came": came, "expected": expected, "do": do}, ensure_ascii=False)
    else:
        text = f"mutua: {code}\n  came      {came}\n  expected  {expected}\n  to do     {do}"
    print(text, file=sys.stderr)
