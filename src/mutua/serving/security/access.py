"""From a request's `Authorization` to what it may do."""

from __future__ import annotations

from typing import Protocol

from mutua.errors import InvalidKey, MissingKey, MissingScope
from mutua.serving.security.key_file import Scope
from mutua.serving.security.keys import SCOPES, Access


class Keys(Protocol):
    """Keys of one store (`KeyRing`) or of a folder of stores (`TenantKeys`)."""

    @property
    def guarded(self) -> bool:
        """Whether a key is asked for."""
        ...

    def check(self, key: str | bytes) -> Access | None:
        """Returns what a key may do, None for one that opens nothing."""
        ...


BEARER = b"bearer "
CHALLENGE = (b"www-authenticate", b'Bearer realm="mutua"')
"""Header of an answer of status 401."""


def bearer(authorization: bytes) -> bytes:
    """Returns the key in an `Authorization: Bearer …` header, empty where there is none.

    Example:
        >>> bearer(b"bearer mu_shop_x"), bearer(b"Basic abc")
        (b'mu_shop_x', b'')
    """
    return authorization[len(BEARER) :].strip() if authorization[: len(BEARER)].lower() == BEARER else b""


def open_access(tenant: str) -> Access:
    """Returns the access of everyone to a server without keys, which listens on loopback alone (`bounds`)."""
    return Access("", tenant, frozenset(SCOPES))


def authorised(ring: Keys, authorization: bytes, scope: Scope, everyone: Access) -> Access:
    """Returns what a request may do, once it is known that it may do `scope`.

    Args:
        ring: the keys.
        authorization: the header's value, empty where there is none.
        scope: what the route needs.
        everyone: of a server without keys; a key that is sent to one is checked all the same.

    Raises:
        MissingKey: code `key.missing`; InvalidKey: code `key.invalid`; MissingScope: code `key.scope`.
    """
    if not authorization and not ring.guarded:
        return everyone
    key = bearer(authorization)
    if not key:
        raise MissingKey("a request without a key", "the header Authorization: Bearer mu_…", "send a key")
    found = ring.check(key)
    if found is None:
        raise InvalidKey(
            "a key that is malformed, unknown or revoked", "a key as it was made", "check that it was copied whole"
        )
    if not found.may(scope):
        raise MissingScope(
            f"key {found.key_id}, which may {', '.join(sorted(found.scopes))}",
            f"one that may {scope}",
            f"mutua keys create --scope {scope}",
        )
    return found
