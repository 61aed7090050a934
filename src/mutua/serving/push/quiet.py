"""Quiet hours: when a user should not be disturbed, by the clock on his own wall."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from mutua.errors import ConfigError

START = datetime(1970, 1, 1, tzinfo=UTC)


class Quiet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hours of the day in which nothing is delivered; equal ends mean none.

    Args:
        begin, end: `HH:MM` on the user's wall clock; an end before the beginning is of the next day.
        zone: IANA name of the time zone of users whose own is unknown.
    """

    begin: str = "00:00"
    end: str = "00:00"
    zone: str = "UTC"

    def checked(self) -> Quiet:
        """Returns itself.

        Raises:
            ConfigError: code `config.invalid`; hours or a zone that cannot be read.
        """
        try:
            time.fromisoformat(self.begin), time.fromisoformat(self.end)
        except ValueError:
            came = f"quiet hours {self.begin[:20]!r} to {self.end[:20]!r}"
            raise ConfigError(came, "HH:MM, as in 22:00", "write begin and end so") from None
        if zone_of(self.zone) is None:
            raise ConfigError(f"time zone {self.zone[:60]!r}", "an IANA name such as Europe/Berlin", "correct the zone")
        return self


def zone_of(name: str) -> tzinfo | None:
    """Returns a time zone by its IANA name, None where there is none of that name."""
    if name in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local(now: int, zone: str, default: str) -> datetime:
    """Returns `now` (microseconds UTC) on the wall clock of a zone; of the default one where the first is unknown."""
    chosen = (zone_of(zone) if zone else None) or zone_of(default) or UTC
    return (START + timedelta(microseconds=now)).astimezone(chosen)


def day_of(now: int, zone: str, default: str) -> str:
    """Returns the day, `YYYY-MM-DD`, that it is at `now` for the user."""
    return local(now, zone, default).date().isoformat()


def awake(now: int, zone: str, quiet: Quiet) -> int:
    """Returns `now` where it is not quiet for the user, else when the quiet ends; microseconds UTC.

    Example:
        >>> awake(0, "", Quiet("22:00", "06:00")) == 6 * 3600 * 1_000_000
        True
    """
    begin, end = time.fromisoformat(quiet.begin), time.fromisoformat(quiet.end)
    there = local(now, zone, quiet.zone)
    clock = there.time()
    if begin <= end:
        inside, days = begin <= clock < end, 0
    else:
        inside, days = clock >= begin or clock < end, int(clock >= begin)
    if not inside:
        return now
    ends = datetime.combine(there.date() + timedelta(days=days), end, there.tzinfo)
    return max(now, (ends.astimezone(UTC) - START) // timedelta(microseconds=1))
