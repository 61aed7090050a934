"""A store in one SQLite file, its models beside it: the parts gathered under one lock."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from mutua.events.types import DEFAULT_TYPES, EventType
from mutua.store.models import ModelFolders
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.catalog import SqliteCatalog
from mutua.store.sqlite.connection import Database
from mutua.store.sqlite.identity import SqliteIdentity
from mutua.store.sqlite.keys import Seals
from mutua.store.sqlite.log import SqliteLog
from mutua.store.sqlite.names import SqliteNames
from mutua.store.sqlite.quarantine import SqliteQuarantine
from mutua.store.sqlite.schema import prepare


class SqliteStore:
    """One tenant's events, names, catalog, quarantine, identities and models. For one thread at a time.

    Example:
        >>> from mutua.events.kinds import Interaction
        >>> with SqliteStore.open("sqlite:///:memory:", write=True) as store:
        ...     store.log.append([Interaction(user="ann", item="milk")], recorded=1_000_000).last
        1
    """

    def __init__(self, database: Database, types: Mapping[str, EventType], key: bytes | None) -> None:
        prepare(database)
        self.database = database
        self.seals = Seals(database, key)
        self.names = SqliteNames(database, types)
        self.identity = SqliteIdentity(database, self.names, self.seals)
        self.log = SqliteLog(database, self.names, self.identity, self.seals)
        self.catalog = SqliteCatalog(database, self.names, self.seals)
        self.quarantine = SqliteQuarantine(database)
        self._temporary = TemporaryDirectory(prefix="mutua-") if database.address.path is None else None
        self.models = ModelFolders(Path(self._temporary.name) if self._temporary else database.address.models)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        write: bool = False,
        types: Mapping[str, EventType] = DEFAULT_TYPES,
        key: bytes | None = None,
    ) -> Self:
        """Returns the store at `url`; a writer makes it where there is none.

        Args:
            url: `sqlite:///shop.db`, `sqlite:////var/shop.db` or `sqlite:///:memory:`.
            write: take the one writer's lock; readers need none and see every commit.
            types: declared types of interaction.
            key: the tenant's key, 32 bytes, to seal payloads under and open sealed ones; see `mutua.store.sealing`.

        Raises:
            StoreLocked: code `store.locked`; another process writes.
            StoreVersion: code `store.version`; not a store, or of a newer Mutua.
            StoreError: code `store.failed`; no such file to read, or damage.
        """
        database = Database(Address.of(url), write=write)
        try:
            return cls(database, types, key)
        except BaseException:
            database.close()
            raise

    @property
    def address(self) -> Address:
        """Where the store lives."""
        return self.database.address

    def close(self) -> None:
        """Closes the file and gives the writer's lock back; closing twice is harmless."""
        self.database.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
