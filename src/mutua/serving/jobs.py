"""Work for a thread that owns something: a function of what it owns, and where the result goes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Owned = TypeVar("Owned")


@dataclass(frozen=True)
class Job(Generic[Owned]):
    """A function to be called on the owner's thread."""

    run: Callable[[Owned], Any]
    answer: Future[Any] = field(default_factory=Future)

    def do(self, owned: Owned) -> None:
        """Calls the function; its result, or whatever it raises, belongs to him who asked."""
        try:
            self.answer.set_result(self.run(owned))
        except Exception as reason:  # noqa: BLE001  (whatever it is belongs to him who asked)
            self.answer.set_exception(reason)
