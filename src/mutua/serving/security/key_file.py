"""The file of keys, `shop.keys` beside `shop.db`: hashes alone, replaced as a whole, one change at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from mutua.errors import StoreError, StoreVersion
from mutua.store.disk import disk_error, sync_folder
from mutua.store.sqlite.address import Address

Scope = Literal["write", "read", "admin"]
SCHEMA = 1
SALT_BYTES = 16
OTHERS_WRITE = 0o022
Signature = tuple[int, int, int]
"""Inode, size in bytes and time of the last change in nanoseconds: another one means another file."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key as the file keeps it.

    Args:
        id: the first 12 hexadecimal digits of `digest`; no secret.
        tenant: whose store it opens; also part of the hashed text.
        scopes: what it may do.
        label: whom it was made for, in a person's words.
        created: RFC 3339.
        digest: BLAKE2b of the whole key under the file's salt, 64 hexadecimal digits.
    """

    id: str
    tenant: str
    scopes: tuple[Scope, ...]
    label: str
    created: str
    digest: str


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that stands in the file; `salt` is 16 random bytes in hexadecimal digits."""

    schema: int
    salt: str
    keys: tuple[Row, ...] = ()


def place(address: Address) -> Path:
    """Returns where the keys of a store stand.

    Raises:
        UsageError: code `usage`; a store in memory has no place for keys.

    Example:
        >>> place(Address.of("sqlite:///shop.db")).name
        'shop.keys'
    """
    return address.keys


def empty() -> KeyFile:
    """Returns a file without keys, with a salt of its own."""
    return KeyFile(SCHEMA, secrets.token_hex(SALT_BYTES))


def signature(path: Path) -> Signature | None:
    """Returns what tells one version of the file from another, None where there is no file; about 2 µs.

    Raises:
        StoreError: code `store.failed`; it cannot be looked at.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as reason:
        raise disk_error(reason, path.name) from reason
    return found.st_ino, found.st_size, found.st_mtime_ns


def read(path: Path) -> KeyFile:
    """Returns what stands in the file; one that is not there has no keys.

    Raises:
        StoreError: code `store.failed`; unreadable, damaged, or others than its owner may write to it.
        StoreVersion: code `store.version`; written by a newer version.
    """
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read()
    except FileNotFoundError:
        return empty()
    except OSError as reason:
        raise disk_error(reason, path.name) from reason
    if mode & OTHERS_WRITE:
        raise StoreError(
            f"{path.name} with mode {mode & 0o777:03o}", "keys that only their owner writes", f"chmod 600 {path}"
        )
    return _checked(text, path)


def write(path: Path, content: KeyFile) -> None:
    """Replaces the file, mode 0600: a reader sees the old one or the new one, and the new one outlives a crash.

    Raises:
        StoreError: code `store.failed` or `store.full`; the old file stays.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            _write_aside(aside, msgspec.json.format(msgspec.json.encode(content), indent=1))
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as reason:
        raise disk_error(reason, path.name) from reason


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Waits until no other process changes a file of keys in this folder, and keeps others waiting meanwhile.

    Raises:
        StoreError: code `store.failed`; there is no such folder.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as reason:
        raise disk_error(reason, str(path.parent)) from reason
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _checked(text: bytes, path: Path) -> KeyFile:
    try:
        schema = msgspec.json.decode(text, type=dict[str, msgspec.Raw]).get("schema", msgspec.Raw(b"0"))
        if bytes(schema).isdigit() and int(bytes(schema)) > SCHEMA:
            raise StoreVersion(f"{path.name} of schema {bytes(schema).decode()}", f"schema {SCHEMA}", "upgrade Mutua")
        found = msgspec.json.decode(text, type=KeyFile)
        whole = found.schema == SCHEMA and len(bytes.fromhex(found.salt)) == SALT_BYTES
        whole = whole and all(len(bytes.fromhex(row.digest)) == 32 for row in found.keys)
    except (msgspec.DecodeError, ValueError) as reason:
        raise _damaged(path) from reason
    if not whole:
        raise _damaged(path)
    return found


def _damaged(path: Path) -> StoreError:
    return StoreError(
        f"{path.name}, which is damaged", "keys as Mutua wrote them", "restore the file, or remove it and make new keys"
    )


def _write_aside(path: Path, text: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
