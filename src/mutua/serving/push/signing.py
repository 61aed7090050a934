"""Signatures of webhooks: who posts knows the secret, and posted just now.

`Mutua-Signature: t=SECONDS,v1=HEX`, where HEX is HMAC-SHA256 under the secret of the seconds since 1970, a full stop
and the body as sent.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

HEADER = "Mutua-Signature"
TOLERANCE = 300
"""Seconds by which the clocks of both sides may differ."""


def signature(secret: str, seconds: int, body: bytes) -> str:
    """Returns the value of the header.

    Example:
        >>> signature("secret", 1, b"{}")[:12]
        't=1,v1=11227'
    """
    return f"t={seconds},v1={_digest(secret, seconds, body)}"


def verified(secret: str, header: str, body: bytes, now: float, tolerance: float = TOLERANCE) -> bool:
    """Returns whether a header signs `body` under `secret`, at most `tolerance` seconds from `now`.

    For those who receive. The comparison takes the same time wherever the signatures differ.
    """
    fields = dict(part.partition("=")[::2] for part in header.split(","))
    given = fields.get("t", "")
    if not (given.isascii() and given.isdigit() and len(given) <= 12) or abs(now - int(given)) > tolerance:
        return False
    return hmac.compare_digest(_digest(secret, int(given), body).encode(), fields.get("v1", "").encode())


def _digest(secret: str, seconds: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d." % seconds + body, sha256).hexdigest()
