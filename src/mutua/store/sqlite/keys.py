"""The keys of users, wrapped by the tenant's, as the file keeps them."""

from __future__ import annotations

import os
import sqlite3

from mutua.errors import StoreError
from mutua.store.sealing import KEY_BYTES, Cipher, cipher, seal, unseal
from mutua.store.sqlite.connection import Database


class Seals:
    """Seals and opens payloads of users.

    Args:
        key: the tenant's key, 32 bytes; None leaves new payloads clear and sealed ones closed.
    """

    def __init__(self, database: Database, key: bytes | None = None) -> None:
        self._database = database
        self._tenant = None if key is None else cipher(key)
        self._ciphers: dict[int, Cipher] = {}

    @property
    def active(self) -> bool:
        """Whether new payloads of users are sealed."""
        return self._tenant is not None

    def seal(self, cursor: sqlite3.Cursor, user: int, payload: bytes, event: str) -> bytes:
        """Returns the sealed payload; a user's first one makes his key, within the transaction of `cursor`."""
        found = self._cipher(user)
        if found is None:
            key = os.urandom(KEY_BYTES)
            found = self._ciphers[user] = cipher(key)
            wrapped = seal(self._tenant_cipher(), key, _bound(user))
            cursor.execute("INSERT INTO user_key VALUES (?, ?)", (user, wrapped))
        return seal(found, payload, event.encode())

    def open(self, user: int, payload: bytes, event: str) -> bytes:
        """Returns the clear payload.

        Raises:
            StoreError: code `store.failed`; no tenant key, another one, or the user's key was destroyed.
        """
        found = self._cipher(user)
        if found is None:
            raise StoreError("a payload whose user's key is gone", "a key", "restore a backup, or forget the event")
        return unseal(found, payload, event.encode())

    def forget(self) -> None:
        """Drops the keys held in memory, as after a rollback or an erasure."""
        self._ciphers.clear()

    def _cipher(self, user: int) -> Cipher | None:
        found = self._ciphers.get(user)
        if found is None:
            wrapped = self._database.one("SELECT wrapped FROM user_key WHERE user = ?", (user,))
            if wrapped is not None:
                found = self._ciphers[user] = cipher(unseal(self._tenant_cipher(), wrapped, _bound(user)))
        return found

    def _tenant_cipher(self) -> Cipher:
        if self._tenant is None:
            raise StoreError("sealed payloads and no key", "the tenant's key", "open the store with key=…")
        return self._tenant


def _bound(user: int) -> bytes:
    return f"user {user}".encode()
