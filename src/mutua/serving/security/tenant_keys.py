"""The keys of all tenants of a folder: each tenant's in a file of its own, found by what the key itself says."""

from __future__ import annotations

from mutua.serving.security import key_file
from mutua.serving.security.keys import LONGEST, PREFIX, SECRET_LENGTH, Access, KeyRing
from mutua.store.sqlite.folder import RESERVED, TENANT, Folder

NOBODY = "-"
"""No tenant can have this name, so no key is in its file."""
SHORTEST = len(PREFIX) + 1 + 1 + SECRET_LENGTH
END = -(SECRET_LENGTH + 1)


class TenantKeys:
    """The keys of a folder of stores; a change of any file, and a new tenant, count from the next check on.

    A key of an unknown tenant is looked for, hashed and compared as any other, so that how long a refusal takes tells
    nobody which tenants there are.
    """

    guarded = True
    """Without a key nobody can be told from anybody else."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._nobody = KeyRing.load(folder.path / f"{NOBODY}.keys")
        self._rings = {tenant: self._ring(tenant) for tenant in folder.tenants()}

    def check(self, key: str | bytes) -> Access | None:
        """Returns what a key may do in its tenant's store, None for one that opens none; two looks at the disk.

        Raises:
            StoreError: code `store.failed`; the tenant's file cannot be read. Nobody enters there.
        """
        tenant = tenant_of(key)
        there = key_file.signature(self._folder.path / f"{tenant}.keys") is not None
        return (self._known(tenant) if there else self._nobody).check(key)

    def _known(self, tenant: str) -> KeyRing:
        found = self._rings.get(tenant)
        if found is None:
            found = self._rings[tenant] = self._ring(tenant)
        return found

    def _ring(self, tenant: str) -> KeyRing:
        return KeyRing.load(self._folder.place(tenant).keys)


def tenant_of(key: str | bytes) -> str:
    """Returns the tenant that a key names, `NOBODY` for what is no key; the secret's length is fixed.

    Example:
        >>> tenant_of("mu_a_b_" + "x" * 43), tenant_of("mu_A_" + "x" * 43), tenant_of("mu_../b_" + "x" * 43)
        ('a_b', '-', '-')
    """
    if not SHORTEST <= len(key) <= LONGEST:
        return NOBODY
    text = key.decode("latin-1") if isinstance(key, bytes) else key
    tenant = text[len(PREFIX) : END]
    whole = text.startswith(PREFIX) and text[END] == "_" and TENANT.fullmatch(tenant) is not None
    return tenant if whole and tenant not in RESERVED else NOBODY
