"""`python -m mutua` is the command `mutua`."""

from __future__ import annotations

from mutua.cli.main import run

if __name__ == "__main__":
    run()
