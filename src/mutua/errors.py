"""The error tree. Every error has a stable code, and says what came, what was expected and what to do now.

The codes are part of the public interface: they stand in `docs/errors.md`, in quarantines and in answers, and are
never reused for another meaning.
"""

from __future__ import annotations


class MutuaError(Exception):
    """An error with a stable `code` and the three sentences that a person needs.

    Args:
        came: what was received, quoted and cut short; never a secret.
        expected: what would have been accepted.
        do: the next thing to try.
    """

    code = "mutua"
    exit_status = 1

    def __init__(self, came: str, expected: str, do: str) -> None:
        super().__init__(came, expected, do)
        self.came = came
        self.expected = expected
        self.do = do

    def __str__(self) -> str:
        return f"{self.came}. Expected: {self.expected}. To do: {self.do}. [{self.code}]"


class UsageError(MutuaError):
    """An argument, option or call that cannot be carried out as given."""

    code = "usage"
    exit_status = 2


class ConfigError(UsageError):
    """A setting that is unknown or out of its range."""

    code = "config.invalid"


class UnknownPart(UsageError):
    """A name of a model, surface, metric or protocol that is not registered."""

    code = "part.unknown"


class NoTenant(UsageError):
    """A folder with a store for each tenant, where one store is meant and no tenant was named."""

    code = "tenant.missing"


class UnknownTenant(UsageError):
    """A tenant that the folder has no store of."""

    code = "tenant.unknown"


class MissingExtra(UsageError):
    """An optional dependency that this call needs is not installed."""

    code = "extra.missing"


class DataError(MutuaError):
    """Data that cannot be accepted; the good data beside it is kept."""

    code = "data.invalid"
    exit_status = 3


class UnreadableFile(DataError):
    """A file that does not exist or is not of the format it claims."""

    code = "file.unreadable"


class MissingColumn(DataError):
    """A column that a reader needs and neither finds nor can guess."""

    code = "file.column-missing"


class InvalidRow(DataError):
    """A row with the wrong number of fields, bad text encoding or bad syntax."""

    code = "row.invalid"


class InvalidId(DataError):
    """An id that is empty, longer than 256 bytes or holds control characters."""

    code = "id.invalid"


class InvalidTime(DataError):
    """A time that is neither RFC 3339 nor epoch seconds, or lies outside 1970 to 2200."""

    code = "time.invalid"


class FutureTime(DataError):
    """A time more than five minutes ahead of the clock."""

    code = "time.future"


class InvalidValue(DataError):
    """A value that is not a finite number."""

    code = "value.invalid"


class InvalidField(DataError):
    """A field that is unknown, missing or of the wrong type."""

    code = "field.invalid"


class TooLarge(DataError):
    """An input beyond a limit of size, depth or length."""

    code = "input.too-large"


class NotKnown(DataError):
    """A user, item or event that was never recorded, or was forgotten."""

    code = "id.unknown"


class NoModel(DataError):
    """A call that needs a learned model before any was learned."""

    code = "model.none"


class NotSupported(DataError):
    """A question that this model cannot answer, such as a rating where no values are ratings."""

    code = "model.not-supported"


class NotEnoughData(DataError):
    """Too few events to learn or to evaluate."""

    code = "data.too-few"


class StoreError(MutuaError):
    """The store cannot be read or written."""

    code = "store.failed"
    exit_status = 4


class StoreLocked(StoreError):
    """Another process holds the write lock."""

    code = "store.locked"


class StoreFull(StoreError):
    """The disk or the size limit is exhausted; nothing of the batch was kept."""

    code = "store.full"


class StoreVersion(StoreError):
    """A file written by a newer version, or not by Mutua at all."""

    code = "store.version"


class DamagedModel(StoreError):
    """A model directory whose manifest or hashes do not match its files."""

    code = "model.damaged"


class DamagedBackup(StoreError):
    """A backup that fails its integrity check."""

    code = "backup.damaged"


class TenantSettings(MutuaError):
    """Settings of a tenant of a server that are wrong, so that his store is not opened; others are served."""

    code = "tenant.settings"
    exit_status = 4


class Overloaded(MutuaError):
    """More work is waiting than the server takes on; nothing of the request was kept."""

    code = "server.overloaded"
    exit_status = 4


class Interrupted(MutuaError):
    """A process of the server ended before it answered; what was sent may have been kept or not."""

    code = "server.interrupted"
    exit_status = 4


class TooLate(Overloaded):
    """A request that waited so long that its answer would come after its deadline; nothing of it was done."""

    code = "server.late"


class NotFound(UsageError):
    """A path that the server does not have."""

    code = "http.not-found"


class WrongMethod(UsageError):
    """A method that a path of the server does not have."""

    code = "http.method"


class ServerUnreachable(MutuaError):
    """A client's call that brought no answer from a server, however often it was sent."""

    code = "server.unreachable"
    exit_status = 4


class ServerAnswer(MutuaError):
    """What came back to a client is no answer of this server."""

    code = "server.answer"
    exit_status = 4


class MissingKey(UsageError):
    """A request without a key to a server that has keys."""

    code = "key.missing"


class InvalidKey(UsageError):
    """A key that is malformed, unknown or revoked."""

    code = "key.invalid"


class MissingScope(UsageError):
    """A good key that may not do what was asked."""

    code = "key.scope"


class ForeignOrigin(UsageError):
    """A request that another site's page sent, or that names a host that the server is not."""

    code = "http.origin"


class Overtaken(UsageError):
    """A change of something that another changed after it was read; nothing of this one was kept."""

    code = "version.overtaken"


class RateLimited(MutuaError):
    """More requests than one sender is granted; nothing of this one was kept.

    Args:
        wait: seconds after which the same request is granted.
    """

    code = "rate.limited"
    exit_status = 4

    def __init__(self, came: str, expected: str, do: str, wait: float = 1.0) -> None:
        super().__init__(came, expected, do)
        self.wait = wait
