"""Opening a file or folder: which format it has, what it holds, and how its columns map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mutua.errors import MissingColumn, MutuaError, UsageError
from mutua.events.attributes import AttributeMapping, map_attributes
from mutua.events.guess import completed, guess
from mutua.events.mapping import Mapping
from mutua.events.parsing import is_event
from mutua.events.readers import movielens, recbole
from mutua.events.readers.blocks import sample
from mutua.events.readers.delimited import Delimited
from mutua.events.readers.jsonl import JsonLines, decoded, names_of_objects
from mutua.events.readers.lightgcn import LightGcn
from mutua.events.readers.parquet import Parquet, parquet_columns
from mutua.events.readers.sniff import sniffed
from mutua.events.readers.tables import TableReader, bad_file

ROLES = ("interactions", "users", "items", "events")
_PARQUET, _JSON, _TABS = (".parquet", ".pq"), (".jsonl", ".ndjson", ".json"), (".tsv", ".tab")
_ROLE_ORDER = {"users": 0, "items": 1, "interactions": 2, "events": 3}


@dataclass(frozen=True)
class Source:
    """One file, and how it is read.

    Args:
        role: `interactions`, `users`, `items`, or `events` for JSON lines that are whole events.
        reader: yields its tables.
        mapping: which column is what; None for `events`.
        notes: what was guessed, for people.
    """

    path: Path
    role: str
    reader: TableReader
    mapping: Mapping | AttributeMapping | None
    notes: tuple[str, ...] = ()


def open_sources(path: Path, *, mapping: str = "", role: str = "") -> tuple[Source, ...]:
    """Returns how to read a file, or each of the files of a MovieLens or RecBole folder: users and items first.

    Args:
        mapping: the `--map` text; what it leaves open is guessed.
        role: one of `ROLES`, empty to tell it by the columns.

    Raises:
        UnreadableFile: code `file.unreadable`; missing, or of no known format.
        MissingColumn: code `file.column-missing`; no column for user or item.
        UsageError: code `usage`; a mapping or role that is none.
    """
    if role not in ("", *ROLES):
        raise UsageError(f"role {role!r}", ", ".join(ROLES), "leave it out to have it told by the columns")
    if not path.exists():
        raise bad_file(path, "no such file")
    if path.is_dir():
        return _folder(path)
    return (_file(path, mapping, role),)


def _folder(path: Path) -> tuple[Source, ...]:
    files = [one for one in sorted(path.iterdir()) if one.is_file()]
    known = [one for one in files if _movielens(one) or recbole.is_recbole(one)]
    if not known:
        raise bad_file(path, "a folder without MovieLens or RecBole files", "name one of its files")
    return tuple(sorted((_file(one, "", "") for one in known), key=lambda source: _ROLE_ORDER[source.role]))


def _file(path: Path, mapping: str, role: str) -> Source:
    known = _movielens(path)
    if known and not mapping:
        return Source(path, known.role, known.reader, known.mapping, (f"{path.name}: MovieLens {known.role}",))
    if recbole.is_recbole(path) and recbole.recbole_role(path) != "interactions":
        attributes = recbole.recbole_attributes(path, mapping)
        return Source(path, recbole.recbole_role(path), recbole.recbole_reader(path), attributes)
    if _ending(path) in _JSON:
        return _json_lines(path, mapping, role)
    return _mapped(path, _reader(path, mapping), mapping, role)


def _reader(path: Path, mapping: str) -> Delimited | LightGcn | Parquet:
    if recbole.is_recbole(path):
        return recbole.recbole_reader(path)
    if _ending(path) in _PARQUET:
        return Parquet(parquet_columns(path))
    names = tuple(piece.partition("=")[2].split("@")[0].strip() for piece in mapping.split(",") if ":=" not in piece)
    return sniffed(path, tabs=_ending(path) in _TABS, names=names)


def _json_lines(path: Path, mapping: str, role: str) -> Source:
    found = decoded(1, sample(path).split(b"\n")[:-1] or [sample(path)], 0).values
    if not found:
        raise bad_file(path, "no JSON object in its first lines", "write one JSON object a line")
    if role == "events" or (not role and not mapping and is_event(found[0])):
        return Source(path, "events", JsonLines(()), None)
    return _mapped(path, JsonLines(names_of_objects(found)), mapping, role)


def _mapped(path: Path, reader: Delimited | LightGcn | Parquet | JsonLines, mapping: str, role: str) -> Source:
    found = reader.columns
    role = role or _told(found, mapping)
    if role == "interactions":
        stated = Mapping.parse(mapping)
        full = completed(stated, found)
        return Source(path, role, reader, full, _notes(path, stated, full, found))
    if role not in ("users", "items"):
        raise UsageError(f"role {role!r} for {path.name}", "a file of JSON lines", "leave the role out")
    attributes = map_attributes(mapping, found, role.removesuffix("s"))
    return Source(path, role, reader, attributes)


def _told(found: tuple[str, ...], mapping: str) -> str:
    """Returns the role that the columns show: without a user or an item it is a file of the other's attributes."""
    fields = {piece.partition("=")[0].strip(" :") for piece in mapping.split(",")}
    guessed = guess(found)
    has_user, has_item = "user" in fields or guessed.user, "item" in fields or guessed.item
    if bool(has_user) == bool(has_item):
        return "interactions"
    try:
        map_attributes(mapping, found, "user" if has_user else "item")
    except (MissingColumn, UsageError):
        return "interactions"
    return "users" if has_user else "items"


def _notes(path: Path, stated: Mapping, full: Mapping, found: tuple[str, ...]) -> tuple[str, ...]:
    left = [name for name in found if name not in full.columns()]
    guessed = [f"{path.name}: read as --map {full}"] if str(full) != str(stated) else []
    unread = (
        [f"{path.name}: columns not read: {', '.join(left)}; keep them with context={'+'.join(left)}"] if left else []
    )
    return (*guessed, *unread)


def _movielens(path: Path) -> movielens.MovieLensFile | None:
    name = path.name.removesuffix(".gz")
    header = movielens.CSV_HEADERS.get(name)
    if header and not _starts_with(path, header):
        return None
    return movielens.FILES.get(name)


def _starts_with(path: Path, header: bytes) -> bool:
    try:
        return sample(path).startswith(header)
    except MutuaError:
        return False


def _ending(path: Path) -> str:
    return path.with_suffix("").suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
