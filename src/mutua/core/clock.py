"""Time: int64 microseconds since 1970 UTC inside, RFC 3339 or epoch seconds outside."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

from mutua.errors import InvalidTime

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FUTURE_TOLERANCE = 5 * MINUTE
LATEST = 7_258_118_400 * SECOND  # 2200-01-01


def now() -> int:
    """Returns the wall clock in microseconds UTC."""
    return time.time_ns() // 1_000


def parse_time(given: str | float) -> int:
    """Returns `given` as microseconds UTC.

    Args:
        given: RFC 3339 text (a missing zone means UTC), a date, or seconds since 1970 as number or text.

    Raises:
        InvalidTime: code `time.invalid`.

    Example:
        >>> parse_time("1970-01-01T00:00:01Z") == parse_time(1) == 1_000_000
        True
    """
    micros = _from_number(given) if isinstance(given, int | float) else _from_text(given.strip())
    if micros is None or not 0 <= micros <= LATEST:
        raise InvalidTime(
            f"time {str(given)[:40]!r}",
            "RFC 3339 (2026-03-01T12:00:00Z) or seconds since 1970, between 1970 and 2200",
            "divide milliseconds by 1000; write dates as YYYY-MM-DD",
        )
    return micros


def _from_number(given: float) -> int | None:
    return round(given * SECOND) if math.isfinite(given) else None


def _from_text(given: str) -> int | None:
    try:
        return _from_number(float(given))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    elapsed = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (elapsed.days * 86_400 + elapsed.seconds) * SECOND + elapsed.microseconds


def format_time(micros: int) -> str:
    """Returns RFC 3339 text in UTC, to the second, or to the microsecond where there are any.

    Example:
        >>> format_time(1_000_000)
        '1970-01-01T00:00:01Z'
    """
    seconds, rest = divmod(micros, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:06d}Z" if rest else f"{text}Z"


def format_span(micros: float) -> str:
    """Returns a span of time in the unit that a person would choose.

    Example:
        >>> format_span(3 * DAY), format_span(90 * SECOND), format_span(float("inf"))
        ('3 days', '2 minutes', 'for ever')
    """
    if math.isinf(micros):
        return "for ever"
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second")):
        if abs(micros) >= unit:
            count = round(micros / unit)
            return f"{count} {name}" + ("" if count == 1 else "s")
    return "0 seconds"
