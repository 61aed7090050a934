"""One POST to an address that somebody configured: no redirects, no proxies, a deadline, no private addresses.

The name is resolved once and the connection goes to the address that was checked, so that a name that resolves to
another address the next moment gains nothing.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from mutua.errors import ConfigError

TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits."""
READ_BYTES = 1_024


class Refused(Exception):
    """An address that must not be posted to; trying again is of no use until it is changed."""


@dataclass(frozen=True)
class Answer:
    """What came of a POST.

    Args:
        status: of HTTP, 0 where no answer came; reason: in a few words, without what the receiver wrote.
    """

    status: int
    reason: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it: any status 200 to 299."""
        return 200 <= self.status < 300


def checked_url(url: str) -> SplitResult:
    """Returns the parts of an address that may be posted to.

    Raises:
        ConfigError: code `config.invalid`; neither http nor https, no host, a user name in it, or blanks.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(
            f"webhook address {url.partition('?')[0].rpartition('@')[2][:80]!r}",
            "http://HOST/PATH or https://HOST/PATH without a user name",
            "correct the address; name secrets under `secret`",
        )
    return parts


def is_public(address: str) -> bool:
    """Returns whether an IP address is one of the open net; addresses with a private one wrapped inside are not."""
    found = ip_address(address.partition("%")[0])
    inner: list[IPv4Address | IPv6Address | None] = [found]
    if isinstance(found, IPv6Address):
        teredo = found.teredo or (None, None)
        inner += [found.ipv4_mapped, found.sixtofour, *teredo]
        if found in TRANSLATED or found in IPv6Network("::/96"):
            inner.append(IPv4Address(int(found) & 0xFFFFFFFF))
        if found.ipv4_mapped is not None:
            inner.remove(found)
    return all(one.is_global and not one.is_multicast for one in inner if one is not None)


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float, private: bool = False) -> Answer:
    """Posts and returns what came of it; a redirect is an answer like any other.

    Args:
        timeout: seconds for everything after the name is resolved.
        private: whether addresses of this machine and of private nets are allowed.

    Raises:
        Refused: the address is not allowed.
    """
    parts = checked_url(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        address = _resolved(host, port, private)
        connection = _Connection(host, port, address, timeout, parts.scheme == "https")
        return _posted(connection, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
    except (OSError, http.client.HTTPException, UnicodeError) as reason:
        return Answer(0, f"{type(reason).__name__}: {reason}"[:200])


class _Connection(http.client.HTTPConnection):
    """A connection to an address already chosen, under the host's name."""

    def __init__(self, host: str, port: int, address: str, timeout: float, secure: bool) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address, self._secure = address, secure
        self.default_port = 443 if secure else 80  # left out of the Host header

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """Ends the connection from another thread: whoever waits on it gets an error."""
        if self.sock is not None:
            self.sock.shutdown(socket.SHUT_RDWR)


def _posted(connection: _Connection, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """A timeout of the socket begins anew with every byte that comes, so a timer ends what goes on for too long."""
    deadline = threading.Timer(connection.timeout or 0.0, _cut, (connection,))
    deadline.daemon = True
    deadline.start()
    try:
        connection.request("POST", path, body, dict(headers))
        response = connection.getresponse()
        response.read(READ_BYTES)
        return Answer(response.status, "" if 200 <= response.status < 300 else f"status {response.status}")
    finally:
        deadline.cancel()
        connection.close()


def _cut(connection: _Connection) -> None:
    try:
        connection.cut()
    except OSError:
        return  # it ended by itself in this moment


def _resolved(host: str, port: int, private: bool) -> str:
    """The first address of a host; every one that it has must be allowed."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not private and not all(map(is_public, found)):
        raise Refused("an address of a private net")
    return found[0]
