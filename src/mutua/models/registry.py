"""The models by name; each is imported when it is first asked for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib import import_module
from typing import Any, cast, get_type_hints

from mutua.errors import ConfigError, UnknownPart
from mutua.models.base import Learner

MODELS: Mapping[str, str] = {
    "default": "mutua.models.joint.learner:Joint",
    "popularity": "mutua.models.linear.popularity:Popularity",
    "frequency": "mutua.models.linear.frequency:Frequency",
    "item-knn": "mutua.models.linear.item_knn:ItemKnn",
    "user-knn": "mutua.models.linear.user_knn:UserKnn",
    "content": "mutua.models.linear.content:Content",
    "ials": "mutua.models.linear.ials:Ials",
    "biased-mf": "mutua.models.linear.biased_mf:BiasedMf",
    "incremental-svd": "mutua.models.linear.incremental_svd:IncrementalSvd",
    "ease": "mutua.models.linear.ease:Ease",
}


def models() -> tuple[str, ...]:
    """Returns the names that can be asked for."""
    return tuple(MODELS)


def learner_class(name: str) -> type[Learner]:
    """Returns the configuration class of a model.

    Raises:
        UnknownPart: code `part.unknown`; with the nearest name.
    """
    path = MODELS.get(name)
    if path is None:
        near = difflib.get_close_matches(name, MODELS, n=1)
        advice = f"did you mean {near[0]!r}?" if near else "choose one of these"
        raise UnknownPart(f"model {name[:40]!r}", "one of " + ", ".join(MODELS), advice)
    module, _, attribute = path.partition(":")
    return cast(type[Learner], getattr(import_module(module), attribute))


def learner(text: str) -> Learner:
    """Returns the learner that `text` names, as in `ease` or `ease:ridge=200,neighbours=100`.

    Raises:
        UnknownPart: code `part.unknown`; no such model.
        ConfigError: code `config.invalid`; no such setting, or a value that it cannot take.

    Example:
        >>> learner("popularity:half_life=30")
        Popularity(half_life=30.0)
    """
    kind, given = named(text)
    return kind(**given)


def named(text: str) -> tuple[type[Learner], dict[str, object]]:
    """Returns the configuration class that `text` names, and the settings that it states.

    Raises:
        UnknownPart, ConfigError: as `learner`.
    """
    name, _, listed = text.partition(":")
    kind = learner_class(name.strip())
    hints = get_type_hints(kind)
    allowed = [field.name for field in fields(cast(Any, kind))]
    settings: dict[str, object] = {}
    for part in filter(None, (piece.strip() for piece in listed.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if key not in allowed or not equals:
            near = difflib.get_close_matches(key, allowed, n=1)
            advice = f"did you mean {near[0]!r}?" if near else "write NAME=VALUE, separated by commas"
            raise ConfigError(f"{name}: {part[:40]!r}", "settings among " + ", ".join(allowed), advice)
        settings[key] = parsed(name, key, value, hints[key])
    return kind, settings


def described(learner: Learner) -> str:
    """Returns the text that names a learner and its settings that are not the defaults, as `learner` reads it.

    Example:
        >>> from mutua.models.linear.popularity import Popularity
        >>> described(Popularity(half_life=30.0))
        'popularity:half_life=30.0'
    """
    usual = asdict(cast(Any, type(learner)()))
    own = {name: value for name, value in asdict(cast(Any, learner)).items() if value != usual[name]}
    listed = ",".join(f"{name}={value}" for name, value in own.items())
    return f"{learner.name}:{listed}" if listed else learner.name


def parsed(model: str, key: str, value: str, hint: object) -> object:
    """Returns `value` as the type that a setting has: a truth value, a number, or text.

    Raises:
        ConfigError: code `config.invalid`.
    """
    if hint is bool:
        if value.lower() in ("yes", "true", "on", "no", "false", "off"):
            return value.lower() in ("yes", "true", "on")
        raise ConfigError(f"{model}: {key}={value[:40]}", "yes or no", f"write {key}=yes or {key}=no")
    if hint is int or hint is float:
        try:
            return hint(value)
        except ValueError as reason:
            wanted = "a whole number" if hint is int else "a number"
            raise ConfigError(f"{model}: {key}={value[:40]}", wanted, f"write {key} as {wanted}") from reason
    return value
