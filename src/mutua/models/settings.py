"""Checks of hyper-parameters, so that a wrong one is refused before any work is done."""

from __future__ import annotations

from mutua.errors import ConfigError
from mutua.models.base import Learner


def at_least(learner: Learner, **lowest: float) -> None:
    """Refuses a learner with a setting below its lowest value.

    Raises:
        ConfigError: code `config.invalid`.
    """
    for name, low in lowest.items():
        given = getattr(learner, name)
        if not given >= low:
            raise ConfigError(f"{learner.name}: {name}={given}", f"{name} of at least {low:g}", "choose a larger one")


def one_of(learner: Learner, name: str, allowed: tuple[object, ...]) -> None:
    """Refuses a learner whose setting `name` is not among `allowed`.

    Raises:
        ConfigError: code `config.invalid`.
    """
    given = getattr(learner, name)
    if given not in allowed:
        listed = ", ".join(map(str, allowed))
        raise ConfigError(f"{learner.name}: {name}={given}", f"{name} among {listed}", "choose one of them")
