"""What a log must not say: keys and headers are taken out, people become keyed short hashes."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

HIDDEN = "[hidden]"
SECRETS = frozenset(
    {"api_key", "authorization", "cookie", "key", "password", "secret", "set_cookie", "signature", "token", "x_api_key"}
)
"""Names of fields whose values are never shown."""
PEOPLE = frozenset({"device", "email", "ids", "linked", "name", "session", "user", "user_id", "users"})
"""Names of fields whose values stand for people."""
BODIES = frozenset({"attributes", "body", "context", "events", "query", "query_string", "raw", "text", "url"})
"""Names of fields that may hold anything that was sent."""
HASH_BYTES = 5
LONGEST = 8_000
"""Characters of a text in a log."""
_KEY = re.compile(r"\bmu_[A-Za-z0-9_-]+")
_HEADER = re.compile(
    r"""(\b(?:proxy-)?authorization|\bcookie|\bset-cookie|\bx-api-key)(["']?\s*[:=,]\s*)[^\r\n}\])]+""", re.IGNORECASE
)
_CREDENTIALS = re.compile(
    r"\b(bearer|(?:basic|digest)(?=\s+\S*(?-i:[A-Z0-9=])))\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE
)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}")
_PATH = re.compile(r"(/v1/)(users|items|slates)/([^/?\s\"']+)")
_QUERY = re.compile(r"(?<=\S)\?[^\s\"']+")


class Pseudonyms:
    """Short names for people that cannot be turned back, nor guessed without the secret.

    Args:
        secret: up to 64 bytes; by default random, so that the names of two runs of a server cannot be joined.

    Example:
        >>> names = Pseudonyms(b"a secret of the server")
        >>> names.of("ann") == names.of("ann"), names.of("ann") == names.of("bob"), len(names.of("ann"))
        (True, False, 11)
    """

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secrets.token_bytes(32) if secret is None else secret

    def __repr__(self) -> str:
        return "Pseudonyms()"

    def of(self, person: str) -> str:
        """Returns `~` and ten hexadecimal digits; about 1 µs."""
        text = person.encode("utf-8", "surrogatepass")
        return "~" + hashlib.blake2b(text, digest_size=HASH_BYTES, key=self._secret).hexdigest()


def redacted(text: str, names: Pseudonyms) -> str:
    """Returns a text without keys, credentials, mail addresses and query strings; ids in paths become pseudonyms.

    It is the second line of defence: the first is to log fields, and no ids at all.

    Example:
        >>> redacted("GET /v1/trending?user=ann with mu_shop_c2VjcmV0", Pseudonyms(b"x"))
        'GET /v1/trending with [hidden]'
    """
    if len(text) > LONGEST:
        text = text[:LONGEST].rpartition(" ")[0] + " [cut]"  # no part of a word, which might be part of an address
    for pattern, instead in (
        (_HEADER, rf"\1\2{HIDDEN}"),
        (_CREDENTIALS, rf"\1 {HIDDEN}"),
        (_KEY, HIDDEN),
        (_QUERY, ""),
        (_MAIL, HIDDEN),
    ):
        text = pattern.sub(instead, text)
    return _PATH.sub(lambda found: f"{found[1]}{found[2]}/{names.of(unquote(found[3]))}", text)


def redacted_fields(fields: Mapping[str, Any], names: Pseudonyms) -> dict[str, Any]:
    """Returns the fields of a log line without secrets and bodies; people become pseudonyms, texts are `redacted`.

    Args:
        fields: by name; upper case and `-` in names make no difference. What is neither text, number, truth value,
            nothing, nor a list or mapping of these is left out but for its type.
    """
    return {name: _field(name.lower().replace("-", "_"), value, names) for name, value in fields.items()}


def _field(name: str, value: object, names: Pseudonyms) -> Any:
    if name in SECRETS or name in BODIES:
        return HIDDEN
    if value is None or isinstance(value, bool | int | float):
        return names.of(str(value)) if name in PEOPLE and value is not None else value
    if isinstance(value, str):
        return names.of(value) if name in PEOPLE else redacted(value, names)
    if isinstance(value, Mapping):
        return redacted_fields({str(key): inner for key, inner in value.items()}, names)
    if isinstance(value, list | tuple | set | frozenset):
        return [_field(name, inner, names) for inner in value]
    return f"[{type(value).__name__}]"
