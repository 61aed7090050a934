"""Where a store lives: one file, a lock beside it, a folder of models beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mutua.errors import NoTenant, UsageError

PREFIX = "sqlite:///"


def is_folder(name: str) -> bool:
    """Whether what follows the prefix of a URL means a folder of stores instead of one."""
    return name != ":memory:" and bool(name) and (name.endswith("/") or Path(name).is_dir())


@dataclass(frozen=True)
class Address:
    """The places of one SQLite store.

    Args:
        path: the database file, None for a store in memory.
    """

    path: Path | None

    @classmethod
    def of(cls, url: str) -> Address:
        """Returns the address of the one store that `url` names; see `folder` for several.

        Args:
            url: `sqlite:///shop.db` (relative), `sqlite:////var/shop.db` (absolute) or `sqlite:///:memory:`.

        Raises:
            UsageError: code `usage`.
            NoTenant: code `tenant.missing`; a folder.

        Example:
            >>> Address.of("sqlite:///shop.db").models.name
            'shop.models'
        """
        name = url.removeprefix(PREFIX)
        if name != url and is_folder(name):
            raise NoTenant(f"{url[:200]}, a folder with a store for each tenant", "one store", "name a tenant")
        if name == url or not name:
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
    def stem(self) -> str:
        """The name of the file without its ending, which is that of its tenant."""
        return ":memory:" if self.path is None else self.path.stem

    @property
    def keys(self) -> Path:
        """The file of keys: `shop.keys` beside `shop.db`."""
        return self.file.with_suffix(".keys")

    @property
    def settings(self) -> Path:
        """The file of settings of this store alone: `shop.toml` beside `shop.db`."""
        return self.file.with_suffix(".toml")

    @property
    def models(self) -> Path:
        """The folder of model versions: `shop.models` beside `shop.db`."""
        return self.file.with_suffix(".models")

    @property
    def checkpoint(self) -> Path:
        """The folder of the checkpoint: `shop.checkpoint` beside `shop.db`."""
        return self.file.with_suffix(".checkpoint")

    @property
    def studies(self) -> Path | None:
        """What `mutua tune` tried: `shop.tuning` beside `shop.db`; None for a store in memory."""
        return None if self.path is None else self.path.with_suffix(".tuning")

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
