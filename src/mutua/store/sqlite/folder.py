"""A folder of stores, one file for each tenant: in `sqlite:///shops/` the tenant `acme` is `shops/acme.db`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mutua.errors import NoTenant, UnknownTenant, UsageError
from mutua.store.sqlite.address import PREFIX, Address, is_folder

TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
"""No dot, so that `acme.slates.db` is nobody's store; no upper case, so that no file system takes two for one."""
RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
"""Names that some systems take for a device whatever ending follows."""
ENDING = ".db"


def checked_tenant(name: str) -> str:
    """Returns the name of a tenant, which may stand in a key and in the name of a file.

    Raises:
        UsageError: code `usage`.

    Example:
        >>> checked_tenant("acme-2")
        'acme-2'
    """
    if TENANT.fullmatch(name) is None or name in RESERVED:
        raise UsageError(
            f"tenant {name[:80]!r}",
            "1 to 63 of a-z, 0-9, _ and -, a letter or digit first, and no name of a device",
            "name the tenant with such letters",
        )
    return name


@dataclass(frozen=True)
class Folder:
    """The stores of several tenants, each a file with all that belongs to it beside it."""

    path: Path

    @classmethod
    def of(cls, url: str) -> Folder | None:
        """Returns the folder that a URL names, None where it names one store.

        Args:
            url: `sqlite:///shops/`; the slash at the end may be left out where the folder exists.
        """
        name = url.removeprefix(PREFIX)
        return cls(Path(name)) if name != url and is_folder(name) else None

    def place(self, tenant: str) -> Address:
        """Returns where the store of a tenant stands, or would stand.

        Raises:
            UsageError: code `usage`; no name for a tenant.
        """
        return Address(self.path / f"{checked_tenant(tenant)}{ENDING}")

    def url(self, tenant: str) -> str:
        """Returns the URL of a tenant's store.

        Raises:
            UsageError: code `usage`. UnknownTenant: code `tenant.unknown`.
        """
        if not self.place(tenant).file.is_file():
            near = get_close_matches(tenant, self.tenants(), 1)
            raise UnknownTenant(
                f"tenant {tenant!r} in {self.path}",
                "one of `mutua tenants list`",
                f"did you mean {near[0]!r}?" if near else f"`mutua tenants create {tenant}` makes it",
            )
        return f"{PREFIX}{self.place(tenant).file}"

    def tenants(self) -> tuple[str, ...]:
        """Returns the names of all tenants, sorted; other files of the folder are nobody's."""
        found = (file.stem for file in self.path.glob(f"*{ENDING}") if file.is_file())
        return tuple(sorted(name for name in found if TENANT.fullmatch(name) and name not in RESERVED))


def located(url: str, tenant: str = "") -> str:
    """Returns the URL of one store: that of a tenant in a folder, or the file that `url` names itself.

    Raises:
        NoTenant: code `tenant.missing`; a folder, and no tenant was named.
        UnknownTenant: code `tenant.unknown`.
        UsageError: code `usage`; a name that none can have, or another than that of the one file.

    Example:
        >>> located("sqlite:///shop.db"), located("sqlite:///shop.db", "shop")
        ('sqlite:///shop.db', 'sqlite:///shop.db')
    """
    folder = Folder.of(url)
    if folder is not None:
        if not tenant:
            raise NoTenant(f"{url[:200]}, a folder with a store for each tenant", "a tenant", "name one with --tenant")
        return folder.url(tenant)
    if tenant and tenant != Address.of(url).stem:
        raise UsageError(
            f"tenant {tenant[:80]!r} and {url[:200]}, which is one store",
            f"a folder, such as {PREFIX}shops/",
            "leave the tenant out, or name a folder",
        )
    return url


def own_settings(url: str, tenant: str = "") -> Path | None:
    """Returns the file of settings of the one store that is meant, there or not; None where no such store is meant.

    Example:
        >>> str(own_settings("sqlite:///shop.db")), own_settings("sqlite:///:memory:")
        ('shop.toml', None)
    """
    folder = Folder.of(url)
    try:
        place = Address.of(url) if folder is None else folder.place(tenant)
    except UsageError:
        return None
    return None if place.path is None else place.settings


def every(url: str, tenant: str = "") -> dict[str, str]:
    """Returns the URLs of all stores that are meant, by tenant: those of a folder, or one; raises as `located`."""
    folder = Folder.of(url)
    if folder is not None and not tenant:
        return {name: folder.url(name) for name in folder.tenants()}
    place = located(url, tenant)
    return {tenant or Address.of(place).stem: place}
