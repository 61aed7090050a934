"""Laps: how long each stage of one call takes. Nothing is measured unless somebody asks for it."""

from __future__ import annotations


class Laps:
    """Notes the stages of a call; this one notes nothing, at some 50 ns a stage.

    For one thread, and for calls that do not wait in between.
    """

    def start(self) -> None:
        """Begins a call."""

    def lap(self, stage: str) -> None:
        """Ends a stage, which began where the last one ended."""


NOT_TIMED = Laps()
