"""Headers that keep browsers from doing with answers what nobody meant, as names and values in bytes."""

from __future__ import annotations

Header = tuple[bytes, bytes]
CONTENT_POLICY = b"content-security-policy"


def policy(*directives: str) -> Header:
    """Returns a content security policy.

    Example:
        >>> policy("default-src 'none'", "frame-ancestors 'none'")[1]
        b"default-src 'none'; frame-ancestors 'none'"
    """
    return CONTENT_POLICY, "; ".join(directives).encode()


_ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
API: tuple[Header, ...] = (
    *_ALWAYS,
    policy("default-src 'none'", "frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""Of every answer with data: it is never run, framed, kept by a cache, nor drawn into another site's page."""
DOCS: tuple[Header, ...] = (
    *_ALWAYS,
    policy(
        "default-src 'none'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""Of `/docs` and its assets: scripts and styles of this server alone; the page starts its script inline."""
SCRIPT: tuple[Header, ...] = (
    *_ALWAYS,
    policy("default-src 'none'", "frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"cache-control", b"public, max-age=3600"),
)
"""Of `/mutua.js`, which pages of other sites load."""
