"""Start: `import mutua` and `mutua --help` in fresh processes, and what the import leaves out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.goals import Figure, Goal, Measured
from benchmarks.timing import median, timed

REPEATS, QUICK_REPEATS = 15, 2
UNWANTED = ("torch", "pandas", "fastapi", "starlette", "flask", "django", "aiohttp", "tornado", "uvicorn", "nicegui")
LATER = ("numba", "polars", "scipy", "matplotlib", "sklearn")
"""What is imported when it is first used, if at all."""
PROGRAM = """
import json, sys, time
began = time.perf_counter()
import mutua
bare = time.perf_counter() - began
there = sorted(name for name in sys.argv[1:] if name in sys.modules)
from mutua import Recommender
whole = time.perf_counter() - began
print(json.dumps([bare, whole, there, sorted(name for name in sys.argv[1:] if name in sys.modules)]))
"""
IMPORT = Goal("`import mutua` in a fresh process (median)", must=0.3, most=True, form=".3f", unit=" s")
CLEAN = Goal("… torch, pandas, web frameworks, numba, polars that it loads", must=0, most=True, form=".0f")
FIRST = Goal("… and its first use, `from mutua import Recommender` (median)", form=".3f", unit=" s")
HELP = Goal("`mutua --help`, the whole process (median)", form=".3f", unit=" s")
GOALS = (IMPORT, CLEAN, FIRST, HELP)


def run(quick: bool) -> Measured:
    """Returns the figures of this benchmark; one process before is not counted, so that files are in memory."""
    repeats = QUICK_REPEATS if quick else REPEATS
    runs = [imported() for _ in range(repeats + 1)][1:]
    bare, whole, loaded, used = zip(*runs, strict=True)
    shown = [seconds for seconds, _ in (timed(help_shown) for _ in range(repeats + 1))][1:]
    return {
        "figures": [
            IMPORT.seen(median(bare)),
            _clean(loaded[0]),
            FIRST.seen(median(whole), f"(loads {', '.join(used[0]) or 'none of these'})"),
            HELP.seen(median(shown)),
        ],
        "seeds": [],
        "repeats": repeats,
        "details": {"import": bare, "first_use": whole, "help": shown, "loaded": loaded[0], "loaded_by_use": used[0]},
    }


def imported() -> tuple[float, float, list[str], list[str]]:
    """Returns seconds of the import, seconds with the first use, and which of the packages were loaded by each."""
    command = [sys.executable, "-c", PROGRAM, *UNWANTED, *LATER]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    bare, whole, loaded, used = json.loads(done.stdout)
    return bare, whole, loaded, used


def help_shown() -> None:
    """Runs `mutua --help` in a process of its own."""
    program = Path(sys.executable).with_name("mutua")
    subprocess.run([str(program), "--help"], check=True, capture_output=True)


def _clean(loaded: list[str]) -> Figure:
    return CLEAN.seen(len(loaded), f"({', '.join(loaded)})" if loaded else "")
