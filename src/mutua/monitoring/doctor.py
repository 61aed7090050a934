"""The doctor: looks at the environment and at a store, and says what is wrong and what to do. Changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from mutua.core.clock import FUTURE_TOLERANCE, format_time
from mutua.errors import MutuaError
from mutua.events.types import DEFAULT_TYPES, EventType
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.inspection import damage, library_version, newest_recorded, schema_version
from mutua.store.sqlite.lock import holder, written_pid
from mutua.store.sqlite.schema import MIGRATIONS
from mutua.store.sqlite.store import SqliteStore

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 37)  # STRICT tables
OLDEST_CLOCK = 1_735_689_600_000_000  # 2025-01-01: a clock before the first release is wrong
FREE_BYTES = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One check: its name, whether all is well, what was found, and what to do where it is not.

    Args:
        tenant: of the store looked at, where those of a whole folder are; else empty.
    """

    name: str
    ok: bool
    what: str
    do: str = ""
    tenant: str = ""


def examine(url: str, *, now: int, types: Mapping[str, EventType] = DEFAULT_TYPES) -> tuple[Finding, ...]:
    """Returns all findings on the environment and the store at `url`; works beside a writer.

    Args:
        now: the clock to judge, microseconds UTC.
        types: the declared types of interaction.

    Raises:
        UsageError: code `usage`; the URL names no store. Everything else is a finding.
    """
    return (*environment(now), *examine_store(url, now=now, types=types))


def examine_store(url: str, *, now: int, types: Mapping[str, EventType] = DEFAULT_TYPES) -> tuple[Finding, ...]:
    """Returns the findings on the store at `url` alone; as `examine`."""
    address = Address.of(url)
    return (*_files(address), *_store(url, address, now, types))


def environment(now: int) -> tuple[Finding, ...]:
    """Returns the findings that need no store."""
    return (
        Finding(
            "python",
            sys.version_info[:2] >= OLDEST_PYTHON,
            f"{platform.python_version()} on {platform.system()} {platform.machine()}",
            f"install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer",
        ),
        Finding(
            "sqlite",
            library_version() >= OLDEST_SQLITE,
            ".".join(map(str, library_version())),
            "use a Python built with a newer SQLite",
        ),
        *(_package(name) for name in ("numpy", "scipy", "numba", "polars", "msgspec")),
        Finding(
            "clock",
            now >= OLDEST_CLOCK,
            format_time(now),
            "set the clock: times before Mutua's first release are wrong",
        ),
    )


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", f"pip install {name}")


def _files(address: Address) -> Iterator[Finding]:
    if address.path is None:
        return
    folder = address.path.absolute().parent
    if not folder.is_dir():
        yield Finding("folder", False, f"{folder} does not exist", "create it, or name another place")
        return
    free = shutil.disk_usage(folder).free
    yield Finding("disk space", free >= FREE_BYTES, f"{free >> 20} MiB free", "free at least 1 GiB")
    yield _permissions(address.path, folder)
    yield _writer(address)


def _permissions(path: Path, folder: Path) -> Finding:
    if not path.exists():
        writable = os.access(folder, os.W_OK)
        return Finding("permissions", writable, f"{folder} can{'' if writable else 'not'} be written", "chmod u+w")
    mode = stat.S_IMODE(path.stat().st_mode)
    if not os.access(path, os.R_OK | os.W_OK):
        return Finding("permissions", False, f"{path.name} cannot be read and written", f"chmod u+rw {path}")
    private = not mode & (stat.S_IRWXG | stat.S_IRWXO)
    return Finding("permissions", private, f"{path.name} has mode {mode:04o}", f"others can open it: chmod 600 {path}")


def _writer(address: Address) -> Finding:
    pid = holder(address.lock)
    if pid is not None:
        return Finding("writer", True, f"process {pid} writes")
    dead = written_pid(address.lock)
    return Finding("writer", True, "nobody writes" if dead is None else f"process {dead} wrote last and is gone")


def _store(url: str, address: Address, now: int, types: Mapping[str, EventType]) -> Iterator[Finding]:
    try:
        store = SqliteStore.open(url, types=types)
    except MutuaError as reason:
        yield Finding("store", False, f"{reason.came} [{reason.code}]", reason.do)
        return
    with closing(store):
        yield Finding("store", True, address.name)
        for look in _LOOKS:
            try:
                yield look(store, now)
            except MutuaError as reason:
                yield Finding(look.__name__.strip("_"), False, f"{reason.came} [{reason.code}]", reason.do)


def _schema(store: SqliteStore, _: int) -> Finding:
    version = schema_version(store.database)
    return Finding("schema", version == len(MIGRATIONS), f"version {version}", "open it for writing once")


def _integrity(store: SqliteStore, _: int) -> Finding:
    found = damage(store.database)
    return Finding("integrity", not found, "; ".join(found) or "sound", "mutua restore the newest backup")


def _record_times(store: SqliteStore, now: int) -> Finding:
    newest = newest_recorded(store.database)
    what = "no events" if newest is None else f"newest record at {format_time(newest)}"
    ok = newest is None or newest <= now + FUTURE_TOLERANCE
    return Finding("record times", ok, what, "the clock is behind the newest record: set the clock")


def _models(store: SqliteStore, _: int) -> Finding:
    leftovers, versions = store.models.leftovers(), store.models.versions()
    if leftovers:
        names = ", ".join(path.name for path in leftovers)
        return Finding("models", False, f"interrupted saves: {names}", f"delete them from {store.models.root}")
    try:
        note = store.models.load().note if versions else ""
    except MutuaError as reason:
        return Finding("models", False, reason.came, reason.do)
    return Finding("models", not note, note or f"{len(versions)} kept", "learn again, or roll back")


def _quarantine(store: SqliteStore, _: int) -> Finding:
    count = store.quarantine.count()
    return Finding("quarantine", count == 0, f"{count} rows wait", "mutua record --from-quarantine, once repaired")


def _types(store: SqliteStore, _: int) -> Finding:
    undeclared = store.names.types.undeclared
    what = f"undeclared, so kept at weight 0: {', '.join(undeclared)}" if undeclared else "all declared"
    return Finding("types", not undeclared, what, "declare them in mutua.toml with a weight")


_LOOKS: tuple[Callable[[SqliteStore, int], Finding], ...] = (
    _schema,
    _integrity,
    _record_times,
    _models,
    _quarantine,
    _types,
)
