"""The types that a caller sees, held by a strict type checker."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = ("public_api.py", "misuse.py")


@pytest.fixture(scope="module")
def errors() -> dict[str, set[int]]:
    """Lines with an error by file, from one run under the project's own settings, so that its cache serves."""
    paths = [str(HERE / name) for name in FILES]
    command = [sys.executable, "-m", "mypy", "--strict", "--hide-error-context", "--no-pretty", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=250)
    assert done.returncode == 1, done.stdout + done.stderr
    found = re.findall(r"(\w+\.py):(\d+): error", done.stdout)
    return {name: {int(line) for file, line in found if file == name} for name in FILES}


def test_the_public_interface_is_typed_as_documented(errors: dict[str, set[int]]) -> None:
    assert errors["public_api.py"] == set()


def test_mistakes_are_found_by_the_type_checker(errors: dict[str, set[int]]) -> None:
    lines = (HERE / "misuse.py").read_text().splitlines()
    assert errors["misuse.py"] == {number for number, line in enumerate(lines, 1) if "# wrong" in line}
