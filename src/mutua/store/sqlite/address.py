"""Where a store lives: one file, a lock beside it, a folder of models beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mutua.errors import UsageError

PREFIX = "sqlite:///"


@dataclass(frozen=True)
class Address:
    """The places of one SQLite store.

    Args:
        path: the database file, None for a store in memory.
    """

    path: Path | None

    @classmethod
    def of(cls, url: str) -> Address:
        """Returns the address that `url` names.

        Args:
            url: `sqlite:///shop.db` (relative), `sqlite:////var/shop.db` (absolute) or `sqlite:///:memory:`.

        Raises:
            UsageError: code `usage`.

        Example:
            >>> Address.of("sqlite:///shop.db").models.name
            'shop.models'
        """
        name = url.removeprefix(PREFIX)
        if name == url or not name or name.endswith("/"):
            raise UsageError(
                f"store {url[:200]!r}",
                f"{PREFIX}FILE, with a fourth slash for an absolute path",
                f"write {PREFIX}mutua.db",
            )
        return cls(None if name == ":memory:" else Path(name))

    @property
    def name(self) -> str:
        """What messages call the store."""
        return ":memory:" if self.path is None else str(self.path)

    @property
    def file(self) -> Path:
        """The database file of a store that has one."""
        if self.path is None:
            raise UsageError("a store in memory", "a store with a file", f"open {PREFIX}FILE instead")
        return self.path

    @property
    def models(self) -> Path:
        """The folder of model versions: `shop.models` beside `shop.db`."""
        return self.file.with_suffix(".models")

    @property
    def slates(self) -> Address:
        """Where the slates served are kept: `shop.slates.db` beside `shop.db`; in memory where the store is."""
        return Address(None if self.path is None else self.path.with_suffix(".slates.db"))

    @property
    def lock(self) -> Path:
        """The file whose lock the one writer holds."""
        return self.file.with_name(f"{self.file.name}.lock")

    @property
    def journal(self) -> Path:
        """SQLite's write-ahead log."""
        return self.file.with_name(f"{self.file.name}-wal")
