"""The keys of a folder: each opens its own tenant's store and no other, known or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutua.errors import StoreError
from mutua.serving.security import key_file
from mutua.serving.security.keys import KeyRing
from mutua.serving.security.tenant_keys import NOBODY, TenantKeys, tenant_of
from mutua.store.sqlite.folder import Folder

SECRET = "x" * 43


@pytest.fixture
def keys(tmp_path: Path) -> TenantKeys:
    return TenantKeys(Folder(tmp_path))


def made(folder: Path, tenant: str) -> str:
    return KeyRing.load(folder / f"{tenant}.keys").create(tenant, ["read"])


def test_a_key_opens_its_own_tenant_made_later_too(keys: TenantKeys, tmp_path: Path) -> None:
    for tenant in ("acme", "a", "a_b", "a_b-c"):
        access = keys.check(made(tmp_path, tenant))
        assert access is not None
        assert access.tenant == tenant


def test_the_secret_of_one_opens_no_other(keys: TenantKeys, tmp_path: Path) -> None:
    secrets = {tenant: made(tmp_path, tenant)[-43:] for tenant in ("acme", "rival")}
    assert keys.check(f"mu_rival_{secrets['acme']}") is None
    assert keys.check(f"mu_acme_{secrets['rival']}") is None


def test_a_file_of_keys_under_another_name_opens_nothing(keys: TenantKeys, tmp_path: Path) -> None:
    key = made(tmp_path, "acme")
    (tmp_path / "acme.keys").rename(tmp_path / "rival.keys")
    assert keys.check(key) is None
    assert keys.check(key.replace("acme", "rival")) is None


def test_revoked_or_lost_keys_open_nothing(keys: TenantKeys, tmp_path: Path) -> None:
    key, other = made(tmp_path, "acme"), made(tmp_path, "rival")
    access = keys.check(key)
    assert access is not None
    KeyRing.load(tmp_path / "acme.keys").revoke(access.key_id)
    assert keys.check(key) is None
    assert keys.check(other) is not None
    (tmp_path / "rival.keys").unlink()
    assert keys.check(other) is None
    assert keys.guarded


def test_a_file_that_others_may_write_lets_nobody_in(keys: TenantKeys, tmp_path: Path) -> None:
    key = made(tmp_path, "acme")
    (tmp_path / "acme.keys").chmod(0o666)
    with pytest.raises(StoreError):
        keys.check(key)


@pytest.mark.parametrize(
    "text",
    ["", "mu_", f"mu__{SECRET}", f"mu_a{SECRET}", f"mu_a_{SECRET[1:]}", f"xx_a_{SECRET}", f"mu_../a_{SECRET}",
     f"mu_A_{SECRET}", f"mu_a.b_{SECRET}", f"mu_nul_{SECRET}", f"mu_\x00_{SECRET}", f"mu_é_{SECRET}",
     f"mu_{'a' * 64}_{SECRET}", "x" * 10_000],
)  # fmt: skip
def test_what_is_no_key_names_nobody(keys: TenantKeys, text: str) -> None:
    assert tenant_of(text) == tenant_of(text.encode()) == NOBODY
    assert keys.check(text) is keys.check(text.encode()) is None


def test_known_and_unknown_tenants_are_refused_by_the_same_steps(
    keys: TenantKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "acme")
    assert keys.check(f"mu_acme_{SECRET}") is None
    looked: list[str] = []
    signature = key_file.signature
    monkeypatch.setattr(key_file, "signature", lambda path: looked.append(path.suffix) or signature(path))
    counts = []
    for text in (f"mu_acme_{SECRET}", f"mu_nobody_{SECRET}", f"mu_A_{SECRET}"):
        looked.clear()
        assert keys.check(text) is None
        counts.append(len(looked))
    assert counts == [2, 2, 2]
