"""Every package that is installed for Mutua is pinned, and is the pinned one."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
DECLARED = [
    *PROJECT["project"]["dependencies"],
    *(one for rows in EXTRAS.values() for one in rows),
    *PROJECT["dependency-groups"]["dev"],
]


def pinned() -> dict[str, str]:
    """Returns the version of each package by its name."""
    rows = [line.split("==") for line in LOCK if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in rows}


def needed(asked: list[Requirement]) -> dict[str, str]:
    """Returns the installed version of all that is asked for, and of all that these packages need, by name."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(one, extra) for one in asked for extra in ("", *one.extras)]
    while waiting:
        one, extra = waiting.pop()
        name = canonicalize_name(one.name)
        if (name, extra) in seen or not (one.marker is None or one.marker.evaluate({"extra": extra})):
            continue
        seen.add((name, extra))
        try:
            made = distribution(name)
        except PackageNotFoundError:
            found[name] = "not installed"
            continue
        found[name] = made.version
        for text in made.requires or ():
            inner = Requirement(text)
            if inner.marker is None or any(inner.marker.evaluate({"extra": wanted}) for wanted in ("", *one.extras)):
                waiting += [(Requirement(re.sub(r";.*", "", text)), wanted) for wanted in ("", *inner.extras)]
    return found


def test_every_row_of_the_lock_is_one_exact_version() -> None:
    rows = [line for line in LOCK if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9._+!-]+", row) for row in rows)
    assert len(pinned()) == len(rows)


@pytest.mark.parametrize("text", DECLARED)
def test_what_is_declared_and_all_that_it_needs_is_installed_as_pinned(text: str) -> None:
    asked = Requirement(text)
    if asked.marker is not None and not asked.marker.evaluate():
        return
    lock = pinned()
    others = {name: version for name, version in needed([asked]).items() if lock.get(name) != version}
    assert asked.specifier.contains(lock[canonicalize_name(asked.name)])
    assert others == {}
