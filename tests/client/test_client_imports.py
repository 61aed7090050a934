"""The client is loaded only where it is asked for, and says what it lacks."""

from __future__ import annotations

import subprocess
import sys

import pytest

MISSING = """
import sys
sys.modules["httpx"] = None
from importlib import util
util.find_spec = lambda name: None
from mutua.errors import MissingExtra
try:
    import mutua.client
except MissingExtra as error:
    assert "mutua[client]" in str(error), error
else:
    raise SystemExit("no error")
"""


@pytest.mark.parametrize(
    "code",
    [
        "import sys, mutua; assert not {'httpx', 'mutua.client'} & set(sys.modules)",
        "import sys, mutua; mutua.Recommender; assert 'httpx' not in sys.modules",
        "import sys, mutua.client; assert not {'numba', 'numpy', 'polars', 'sqlite3'} & set(sys.modules), sys.modules",
        MISSING,
    ],
)
def test_in_a_process_of_its_own(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
