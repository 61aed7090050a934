"""RecBole's atomic files: tab-separated, with `name:type` headers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mutua.events.attributes import NUMBER, TEXT, VECTOR, WORDS, Attribute, AttributeMapping, map_attributes
from mutua.events.readers.blocks import sample
from mutua.events.readers.delimited import Delimited
from mutua.events.readers.tables import bad_file

SUFFIXES = {".inter": "interactions", ".user": "users", ".item": "items"}
_KINDS = {"token": "", "token_seq": WORDS, "float": NUMBER, "float_seq": VECTOR}
_TITLES = ("title", "name", "description", "text")


def is_recbole(path: Path) -> bool:
    """Returns whether a file's name is that of an atomic file, gzip allowed."""
    return _suffix(path) in SUFFIXES


def recbole_role(path: Path) -> str:
    """Returns `interactions`, `users` or `items`."""
    return SUFFIXES[_suffix(path)]


def recbole_reader(path: Path) -> Delimited:
    """Returns the reader of an atomic file, its columns named without their types.

    Raises:
        UnreadableFile: code `file.unreadable`; the header is not of the form `name:type`.
    """
    return Delimited(tuple(name for name, _ in _header(path)), separator="\t", quote="", name="recbole")


def recbole_attributes(path: Path, mapping: str) -> AttributeMapping:
    """Returns the mapping of a `.user` or `.item` file, with the kinds that its header states."""
    types = dict(_header(path))
    subject = recbole_role(path).removesuffix("s")
    mapped = map_attributes(mapping, tuple(types), subject)
    return replace(mapped, attributes=tuple(_typed(one, types[one.column]) for one in mapped.attributes))


def _typed(one: Attribute, stated: str) -> Attribute:
    if one.kind:
        return one
    is_title = stated == "token_seq" and one.column.lower().endswith(_TITLES)
    return replace(one, kind=TEXT if is_title else _KINDS[stated])


def _header(path: Path) -> list[tuple[str, str]]:
    first = sample(path).split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
    columns = [(name, kind) for name, _, kind in (field.rpartition(":") for field in first.split("\t"))]
    if not all(name and kind in _KINDS for name, kind in columns):
        raise bad_file(path, f"header {first[:80]!r}", "give each column its type, as in user_id:token")
    return columns


def _suffix(path: Path) -> str:
    return path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
