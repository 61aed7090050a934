"""The private folder that the processes of one server share: the writer's socket, tables, and who leads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TABLE = ".table"


@dataclass(frozen=True)
class Room:
    """Places in the folder; a tenant has none where the server has one store.

    Args:
        folder: readable for its owner alone.
    """

    folder: Path

    @property
    def socket(self) -> Path:
        """Where the writer listens."""
        return self.folder / "writer"

    @property
    def turn(self) -> Path:
        """The file whose lock is held by who learns."""
        return self.folder / "turn"

    def table(self, tenant: str = "") -> Path:
        """The file of the shared table of a store."""
        return self.folder / f"{tenant}{TABLE}"

    def lead(self, tenant: str) -> Path:
        """The file whose lock is held by the worker that learns and posts notices for a tenant."""
        return self.folder / f"{tenant}.lead"

    def tenants(self) -> list[str]:
        """Returns the tenants that have a table: those that were opened since the start."""
        return sorted(path.name.removesuffix(TABLE) for path in self.folder.glob(f"*{TABLE}"))
