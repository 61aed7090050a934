"""Backups of a whole store while others write, and the way back, to any record time if wanted."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from mutua.core import arrays
from mutua.errors import DamagedBackup, DamagedModel, StoreError, UsageError
from mutua.store.disk import disk_error
from mutua.store.models import ModelFolders
from mutua.store.slate_copies import copy_slates, fit_slates
from mutua.store.sqlite.address import PREFIX, Address
from mutua.store.sqlite.connection import Database
from mutua.store.sqlite.faults import translated
from mutua.store.sqlite.schema import VOCABULARIES, prepare
from mutua.store.sqlite.store import SqliteStore
from mutua.store.standing import POINTER

SLATES = "slates"


@dataclass(frozen=True)
class Copied:
    """What a backup or a restored store holds.

    Args:
        path: the database file; its models stand in `.models` beside it.
        last: newest sequence number in it; events: how many events.
        models: versions copied; damaged: versions left out because they do not match their manifests.
        dropped: events recorded after `until`, which a restore left out.
        slates: how many of those served are beside it; damaged ones are left out, and `damaged` names them.
    """

    path: Path
    last: int
    events: int
    models: tuple[str, ...]
    damaged: tuple[str, ...]
    dropped: int = 0
    slates: int = 0


def back_up(store: SqliteStore, target: Path) -> Copied:
    """Copies the store, its models and slates to `target`, a new file; others may read and write meanwhile.

    The copy is one consistent instant, verified, in one file without a journal, and appears only when complete. Slates
    are of an instant just before it.

    Raises:
        UsageError: code `usage`; the target exists.
        StoreFull: code `store.full`; no room for the copy, nothing is left of it.
        DamagedBackup: code `backup.damaged`; the source is damaged, so the copy is.
    """
    _require_absent(target)
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        sound = copy_slates(store.address, Address(aside))
        _copy_file(store.database, aside)
        last, events = _verified(aside)
        slates = fit_slates(Address(aside))
        models, damaged = _copy_models(store.models, _models_of(target))
        _publish(aside, target)
    except OSError as reason:
        raise disk_error(reason, str(target)) from reason
    finally:
        _tidied(aside, target)
    return Copied(target, last, events, models, damaged if sound else (*damaged, SLATES), slates=slates)


def restore(backup: Path, target: Path, *, until: int | None = None) -> Copied:
    """Makes `target`, a new store, from a backup; with `until` only what was recorded by then.

    Events and slates recorded later are dropped, and with them the names that only they brought and the models that
    learned from them; quarantined rows are kept. A user forgotten after the backup was made is in it: forget him again.

    Args:
        until: record time, microseconds UTC.

    Raises:
        UsageError: code `usage`; the target exists.
        DamagedBackup: code `backup.damaged`; the backup is missing or fails its check.
    """
    _require_absent(target)
    before = _verified(backup)
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        sound = copy_slates(Address(backup), Address(aside))
        shutil.copyfile(backup, aside)
        aside.chmod(0o600)
        if until is not None:
            _cut(aside, until)
        last, events = _verified(aside)
        slates = fit_slates(Address(aside), until)
        fitting = ModelFolders(_models_of(backup))
        models, damaged = _copy_models(fitting, _models_of(target), last if until is not None else None)
        _publish(aside, target)
    except OSError as reason:
        raise disk_error(reason, str(target)) from reason
    finally:
        _tidied(aside, target)
    damaged = damaged if sound else (*damaged, SLATES)
    return Copied(target, last, events, models, damaged, before[1] - events, slates)


def _models_of(path: Path) -> Path:
    return Address(path).models


def _slates_of(path: Path) -> Path:
    return Address(path).slates.file


def _require_absent(target: Path) -> None:
    if target.exists() or _models_of(target).exists() or _slates_of(target).exists():
        raise UsageError(
            f"{target} exists, or its models or slates do", "a new place", "name another, or move the old one away"
        )


def _copy_file(database: Database, aside: Path) -> None:
    aside.touch(0o600)
    try:
        with closing(sqlite3.connect(aside, isolation_level=None)) as copy:
            database.copy_into(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as reason:
        raise translated(reason, str(aside)) from reason


def _verified(path: Path) -> tuple[int, int]:
    """Returns the newest sequence number and the count of events of a file that passes all checks."""
    try:
        with closing(Database(Address(path), write=False)) as database:
            prepare(database)
            found = [text for (text,) in database.rows("PRAGMA integrity_check(10)")]
            if found != ["ok"]:
                raise _damaged(path, "; ".join(found)[:300])
            counted = database.rows("SELECT ifnull(max(seq), 0), count(*) FROM event")[0]
            return int(counted[0]), int(counted[1])
    except DamagedBackup:
        raise
    except StoreError as reason:
        raise _damaged(path, reason.came) from reason


def _damaged(path: Path, came: str) -> DamagedBackup:
    return DamagedBackup(f"{path.name}: {came}", "a file that passes its integrity check", "use another backup")


def _cut(aside: Path, until: int) -> None:
    with SqliteStore.open(f"{PREFIX}{aside.absolute()}", write=True) as store, store.database.transaction() as cursor:
        cursor.execute("DELETE FROM event WHERE recorded > ?", (until,))
        cursor.execute("UPDATE placed SET until = min(until, (SELECT ifnull(max(seq), 0) FROM event))")
        last = cursor.execute("SELECT ifnull(max(seq), 0) FROM event").fetchone()[0]
        for table in VOCABULARIES:
            cursor.execute(f"DELETE FROM {table} WHERE since >= ?", (last,))
        cursor.execute("DELETE FROM user_key WHERE user NOT IN (SELECT idx FROM users)")
    _single_file(aside)


def _single_file(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def _copy_models(
    source: ModelFolders, target: Path, until: int | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Copies undamaged versions, those learned up to a sequence number, and returns the copied and the damaged."""
    copied, damaged = [], []
    for version in source.versions():
        if until is not None and source.learned_until(version) > until:
            continue
        try:
            arrays.load(source.folder(version), source.manifest(version).kind)
        except DamagedModel:
            damaged.append(version)
            continue
        shutil.copytree(source.folder(version), target / version)
        copied.append(version)
    current = source.current()
    if current in copied:
        (target / POINTER).write_text(f"{current}\n")
    return tuple(copied), tuple(damaged)


def _tidied(aside: Path, target: Path) -> None:
    """Leaves nothing behind but a complete target."""
    slates = _slates_of(aside)
    journals = [path for name in (aside.name, slates.name) for path in aside.parent.glob(f"{name}-*")]
    for left in (aside, slates, *journals, aside.with_name(f"{aside.name}.lock")):
        left.unlink(missing_ok=True)
    if not target.exists():
        shutil.rmtree(_models_of(target), ignore_errors=True)
        _slates_of(target).unlink(missing_ok=True)


def _publish(aside: Path, target: Path) -> None:
    places = [(_slates_of(aside), _slates_of(target)), (aside, target)]
    for made, place in places:
        if made.exists():
            _synced(made)
            made.rename(place)
    _synced(target.parent)


def _synced(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
