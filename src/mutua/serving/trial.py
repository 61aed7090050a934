"""Surfaces tried before they are taken into use, so that what does not fit the catalogue is refused with its part."""

from __future__ import annotations

from mutua.errors import ConfigError, UsageError
from mutua.pipeline.rules import open_names
from mutua.pipeline.run import prepared
from mutua.pipeline.spec import Surface
from mutua.state import LiveState


def check_surface(state: LiveState, name: str, surface: Surface) -> None:
    """Makes each part of a surface that depends on the catalogue ready, rules that wait for a context aside.

    Raises:
        ConfigError: code `config.invalid`; a rule, boost or cap that does not fit.
    """
    closed = tuple(rule for rule in surface.where if not open_names(rule))
    boosts = tuple(boost for boost in surface.boosts if not open_names(boost.where))
    parts = {"where": Surface(where=closed), "boosts": Surface(boosts=boosts), "caps": Surface(caps=surface.caps)}
    for part, tried in parts.items():
        try:
            prepared(tried, state.in_force.model, state.snapshot(None), name)
        except UsageError as reason:
            raise ConfigError(f"surfaces.{name}.{part}: {reason.came}", reason.expected, reason.do) from reason
