"""Where a server may listen, and by which names it may be called."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection

from mutua.errors import ConfigError, ForeignOrigin
from mutua.serving.security.keys import KeyRing

Resolve = Callable[[str], Collection[str]]
"""From a host's name to its addresses; raises OSError where it has none."""
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def addresses(host: str) -> Collection[str]:
    """Returns the numeric addresses that a name or an old way of writing one (`127.1`) stands for.

    Raises:
        OSError: it has none.
    """
    return {str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}


def is_loopback(host: str, resolve: Resolve = addresses) -> bool:
    """Whether nobody outside this machine reaches a host; a name counts by all of its addresses, an unknown one not.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("[::1]"), is_loopback("0.0.0.0"), is_loopback("::")
        (True, True, False, False)
    """
    bare = host.removeprefix("[").removesuffix("]")
    if not bare:
        return False  # an empty host listens everywhere
    numeric = _numeric(bare)
    if numeric is not None:
        return numeric
    try:
        found = [_numeric(address) for address in resolve(bare)]
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(found)


def check_bind(host: str, ring: KeyRing, allow: bool = False, resolve: Resolve = addresses) -> None:
    """Refuses to listen where others reach a server that asks for no key.

    Args:
        host: as `--host` gives it: a name, an IPv4 or IPv6 address, `0.0.0.0`, `::` or nothing for everywhere.
        ring: the keys; one is enough.
        allow: someone said in so many words that everybody may do everything.

    Raises:
        ConfigError: code `config.invalid`.
    """
    if allow or ring.rows() or is_loopback(host, resolve):
        return
    raise ConfigError(
        f"host {host[:200]!r}, which others reach, and no key in {ring.path.name}",
        "a key, or a loopback address",
        "`mutua keys create --scope read --scope write` makes a key; or serve with --host 127.0.0.1",
    )


def check_host(header: bytes, allowed: Collection[str]) -> None:
    """Refuses a request by a name that is not the server's: so a page whose own name was pointed to this machine.

    Only a server without keys needs this, as no such page knows a key.

    Args:
        header: the value of `Host`, with or without a port.
        allowed: names in lower case, besides those of loopback.

    Raises:
        ForeignOrigin: code `http.origin`.
    """
    name = host_name(header)
    if name not in LOCAL_NAMES and name not in allowed:
        raise ForeignOrigin(
            f"host {name[:100]!r}", f"one of {', '.join(sorted({*LOCAL_NAMES, *allowed}))}", "call it by such a name"
        )


def host_name(header: bytes) -> str:
    """Returns the name in a `Host` header, in lower case and without the port.

    Example:
        >>> host_name(b"Shop.example:8000"), host_name(b"[::1]:8000")
        ('shop.example', '[::1]')
    """
    text = header.decode("latin-1").strip().lower()
    if text.startswith("["):
        return text[: text.find("]") + 1]
    return text.partition(":")[0]


def _numeric(host: str) -> bool | None:
    """Whether a numeric address is loopback, None for what is not numeric."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    inner = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (inner or found).is_loopback
