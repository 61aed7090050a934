"""API keys, `mu_<tenant>_<secret>`: shown once, kept as salted hashes, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Self, get_args

import msgspec

from mutua.core import clock
from mutua.errors import NotKnown, UsageError
from mutua.serving.security import key_file
from mutua.serving.security.key_file import KeyFile, Row, Scope, Signature
from mutua.store.sqlite.folder import checked_tenant

SCOPES: tuple[Scope, ...] = get_args(Scope)
"""`write`: record events. `read`: recommend, explain, profiles. `admin`: both, and everything else."""
PREFIX = "mu_"
SECRET_BYTES = 32
SECRET_LENGTH = 43
"""Characters of 32 bytes in URL-safe base 64."""
LONGEST = len(PREFIX) + 63 + 1 + SECRET_LENGTH
LABEL_LENGTH = 100
ID_BYTES = 6
DIGEST_BYTES = 32
NOBODY = bytes(DIGEST_BYTES)
LOOK_EVERY = 0.01
"""Seconds for which a file without keys is not looked at again: a look costs what a tenth of an answer may."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the bearer of a key may do.

    Args:
        key_id: which key, 12 hexadecimal digits; fit for a log.
        tenant: whose store; read from the key alone.
        scopes: with all that `admin` includes.
    """

    key_id: str
    tenant: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """Whether this includes a scope."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class _Known:
    digest: bytes
    prefix: bytes
    access: Access


@dataclass(frozen=True, slots=True)
class _Loaded:
    """One version of the file, ready for checks; never changed, so that threads may share it."""

    signature: Signature | None
    salt: bytes
    rows: tuple[Row, ...]
    known: Mapping[bytes, _Known]


class KeyRing:
    """The keys of one file; a change of the file counts from the next check on, a first key within `LOOK_EVERY`.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> folder = TemporaryDirectory()
        >>> ring = KeyRing.load(Path(folder.name) / "shop.keys")
        >>> key = ring.create("shop", ["read"], "the web shop")
        >>> ring.check(key).tenant, ring.check(key).may("write"), ring.check(key + "x")
        ('shop', False, None)
        >>> folder.cleanup()
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loaded = _load(path)
        self._guarded = bool(self._loaded.rows)
        self._look_again = 0.0

    @classmethod
    def load(cls, path: Path) -> Self:
        """Returns the keys in a file; where there is none yet, none.

        Raises:
            StoreError: code `store.failed`; unreadable, damaged, or others than its owner may write to it.
        """
        return cls(path)

    @property
    def path(self) -> Path:
        """Where the keys stand."""
        return self._path

    @property
    def guarded(self) -> bool:
        """Whether keys are asked for: there are some, or were since loading, so that losing the file opens nothing."""
        if not self._guarded and (now := monotonic()) >= self._look_again:
            self._look_again = now + LOOK_EVERY
            self._current()
        return self._guarded

    def rows(self) -> tuple[Row, ...]:
        """Returns the keys in order of their making, without their secrets."""
        return self._current().rows

    def create(self, tenant: str, scopes: Collection[str], label: str = "") -> str:
        """Adds a key and returns it; this is the only time that it is seen.

        Args:
            tenant: 1–63 of a–z, 0–9, `_` and `-`, a letter or digit first.
            scopes: some of `write`, `read`, `admin`.
            label: whom it is for, up to 100 characters.

        Raises:
            UsageError: code `usage`; none of these.
            StoreError: code `store.failed` or `store.full`; no key was made.
        """
        chosen = _scopes(scopes)
        _check_words(tenant, label)
        key = f"{PREFIX}{tenant}_{secrets.token_urlsafe(SECRET_BYTES)}"
        with key_file.alone(self._path):
            content = key_file.read(self._path)
            digest = _digest(key.encode(), bytes.fromhex(content.salt))
            created = clock.format_time(clock.now() // clock.SECOND * clock.SECOND)
            row = Row(digest[:ID_BYTES].hex(), tenant, chosen, label, created, digest.hex())
            key_file.write(self._path, msgspec.structs.replace(content, keys=(*content.keys, row)))
        self._reload()
        return key

    def revoke(self, key_id: str) -> Row:
        """Removes a key and returns what was known of it; running servers refuse it from the next request on.

        Raises:
            NotKnown: code `id.unknown`; no key has this id.
        """
        with key_file.alone(self._path):
            content = key_file.read(self._path)
            found = next((row for row in content.keys if row.id == key_id), None)
            if found is None:
                raise NotKnown(f"key {key_id[:40]!r}", "the id of a key", "see `mutua keys list`")
            rest = tuple(row for row in content.keys if row is not found)
            key_file.write(self._path, msgspec.structs.replace(content, keys=rest))
        self._reload()
        return found

    def check(self, key: str | bytes) -> Access | None:
        """Returns what a key may do, None for one that is malformed, unknown or revoked; about 3 µs.

        The key is hashed before it is looked up: how long that takes tells nothing of any key.

        Raises:
            StoreError: code `store.failed`; the file was changed into one that cannot be read. Nobody enters.
        """
        if len(key) > LONGEST:
            return None
        text = key.encode("utf-8", "replace") if isinstance(key, str) else key
        loaded = self._current()
        digest = _digest(text, loaded.salt)
        known = loaded.known.get(digest[:ID_BYTES])
        same = hmac.compare_digest(digest, NOBODY if known is None else known.digest)
        return known.access if same and known is not None and text.startswith(known.prefix) else None

    def _current(self) -> _Loaded:
        return self._loaded if key_file.signature(self._path) == self._loaded.signature else self._reload()

    def _reload(self) -> _Loaded:
        self._loaded = _load(self._path)
        self._guarded = self._guarded or bool(self._loaded.rows)
        return self._loaded


def _load(path: Path) -> _Loaded:
    seen = key_file.signature(path)  # looked at first: a change while reading shows as another signature later
    content: KeyFile = key_file.read(path)
    known = {bytes.fromhex(row.digest)[:ID_BYTES]: _known(row) for row in content.keys}
    return _Loaded(seen, bytes.fromhex(content.salt), content.keys, known)


def _known(row: Row) -> _Known:
    scopes = frozenset(SCOPES if "admin" in row.scopes else row.scopes)
    return _Known(bytes.fromhex(row.digest), f"{PREFIX}{row.tenant}_".encode(), Access(row.id, row.tenant, scopes))


def _digest(key: bytes, salt: bytes) -> bytes:
    """A fast hash suffices: the secret has 256 random bits, so there is nothing to guess."""
    return hashlib.blake2b(key, digest_size=DIGEST_BYTES, salt=salt, person=b"mutua-key").digest()


def _scopes(given: Collection[str]) -> tuple[Scope, ...]:
    chosen = tuple(scope for scope in SCOPES if scope in given)
    if not chosen or len(chosen) != len(set(given)):
        raise UsageError(
            f"scopes {', '.join(map(str, given))[:60] or 'none'}", f"some of {', '.join(SCOPES)}", "name at least one"
        )
    return chosen


def _check_words(tenant: str, label: str) -> None:
    checked_tenant(tenant)
    if len(label) > LABEL_LENGTH or not (label.isprintable() or not label):
        raise UsageError(f"a label of {len(label)} characters", f"up to {LABEL_LENGTH} printable ones", "shorten it")
