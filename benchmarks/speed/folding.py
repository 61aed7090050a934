"""The fold on the request path: one view of a history, one more event in a history."""

from __future__ import annotations

from benchmarks.goals import Goal, Measured
from benchmarks.speed import fold

QUICK_ROUNDS, QUICK_CALLS = 5, 5
GOALS = tuple(
    Goal(f"Fold: {name} (median)", must=most, most=True, form=".1f", unit=" µs") for name, most in fold.TARGETS.items()
)


def run(quick: bool) -> Measured:
    """Returns the figures of this benchmark."""
    rounds, calls = (QUICK_ROUNDS, QUICK_CALLS) if quick else (fold.ROUNDS, fold.CALLS)
    found = fold.run(rounds, calls)
    figures = [
        goal.seen(found[name]["median_us"], f"(fastest round {found[name]['fastest_us']:.1f})")
        for name, goal in zip(fold.TARGETS, GOALS, strict=True)
    ]
    return {"figures": figures, "seeds": [0], "repeats": rounds, "details": found}
