"""The table of the log of slates, as numbered migrations of its own."""

from __future__ import annotations

from mutua.errors import StoreVersion
from mutua.store.sqlite.connection import Database

APPLICATION = 0x4D757453  # "MutS"

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE slate (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            recorded INTEGER NOT NULL,
            id TEXT NOT NULL UNIQUE,
            user INTEGER NOT NULL,
            time INTEGER NOT NULL,
            surface TEXT NOT NULL,
            variant TEXT NOT NULL,
            model_version TEXT NOT NULL,
            profile_version INTEGER NOT NULL,
            seed INTEGER NOT NULL,
            n INTEGER NOT NULL,
            packed BLOB NOT NULL
        ) STRICT""",
        # Ids and times come nearly in order, so both indexes grow at their ends. One by user would be written all over
        # and cost more than the slates do; who erases a user's slates, which is rare, looks through them all instead.
        "CREATE INDEX slate_time ON slate (time)",
    ),
)
"""The statements that lead from version n to n + 1, at position n. Never edited once released, only added to."""


def prepare(database: Database) -> None:
    """Checks that the file is a log of slates of this version; a writer first brings an empty or older one up to it.

    Raises:
        StoreVersion: code `store.version`; another kind of file, a newer version, or an older one open for reading.
    """
    if database.write:
        # Looked at and changed in one transaction, because another process may be opening the same new file.
        with database.transaction() as cursor:
            for number in range(_version(database), len(MIGRATIONS)):
                for statement in MIGRATIONS[number]:
                    cursor.execute(statement)
                cursor.execute(f"PRAGMA application_id = {APPLICATION}")
                cursor.execute(f"PRAGMA user_version = {number + 1}")
        database.journal()
        return
    with database.reading():
        version = _version(database)
    if version < len(MIGRATIONS):
        raise _refused(
            database, f"slates of version {version}", f"version {len(MIGRATIONS)}", "open it for writing once"
        )


def _version(database: Database) -> int:
    application = database.one("PRAGMA application_id")
    version = int(database.one("PRAGMA user_version"))
    tables = database.one("SELECT count(*) FROM sqlite_schema")
    if application != APPLICATION and (application or version or tables):
        raise _refused(database, "another kind of database", "slates written by Mutua", "move that file away")
    if version > len(MIGRATIONS):
        raise _refused(database, f"version {version}", f"at most {len(MIGRATIONS)}", "install a newer Mutua")
    return version


def _refused(database: Database, came: str, expected: str, do: str) -> StoreVersion:
    return StoreVersion(f"{database.address.name}: {came}", expected, do)
