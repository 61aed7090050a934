"""Settings of all parts in one file, `mutua.toml`: code beats environment beats file beats default."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from mutua.errors import ConfigError
from mutua.events.cleaning import CleaningRules
from mutua.events.types import DEFAULT_TYPES, EventType
from mutua.pipeline.spec import Surface

FILE = "mutua.toml"
ENVIRONMENT = {
    "MUTUA_STORE": ("store", "url"),
    "MUTUA_SEED": ("seed",),
    "MUTUA_MODEL": ("learn", "model"),
    "MUTUA_BUDGET": ("learn", "budget"),
}


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the store is, and whether payloads are sealed under a key of each user."""

    url: str = "sqlite:///mutua.db"
    seal: bool = False


class LearnSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is learned: the model's name and the seconds for choosing its hyper-parameters (0: its defaults)."""

    model: str = "default"
    budget: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a store.

    Args:
        types: event types by name, added to the defaults; a type not declared is kept at weight 0 and reported.
        surfaces: pipelines by name; `default` is used where none is named.
        seed: of every random draw.
    """

    store: StoreSettings = StoreSettings()
    types: dict[str, EventType] = {}
    surfaces: dict[str, Surface] = {}
    cleaning: CleaningRules = CleaningRules()
    learn: LearnSettings = LearnSettings()
    seed: int = 0

    @property
    def declared_types(self) -> Mapping[str, EventType]:
        """The defaults with the declared types over them."""
        return {**DEFAULT_TYPES, **self.types}

    def surface(self, name: str = "default") -> Surface:
        """Returns a surface by name.

        Raises:
            ConfigError: code `config.invalid`; not declared.
        """
        if name == "default" and name not in self.surfaces:
            return Surface()
        if name not in self.surfaces:
            raise ConfigError(
                f"surface {name!r}",
                f"one of {', '.join(['default', *self.surfaces])}",
                f"declare [surfaces.{name}] in {FILE}",
            )
        return self.surfaces[name]


@dataclass(frozen=True)
class Loaded:
    """Settings and, for each that was given, who gave it: `code`, `environment NAME` or `file PATH`."""

    settings: Settings
    origins: Mapping[str, str]

    def origin(self, path: str) -> str:
        """Returns who gave a setting such as `store.url`; `default` if nobody did."""
        return self.origins.get(path, "default")


def load(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    code: Mapping[str, Any] | None = None,
) -> Loaded:
    """Returns the settings in force.

    Args:
        file: a TOML file; default `mutua.toml` in the working directory, if it is there.
        environment: default the process's own.
        code: nested overrides, such as `{"store": {"url": …}}`.

    Raises:
        ConfigError: code `config.invalid`; a file that is not TOML, an unknown key, a value out of range.
    """
    path = Path(FILE) if file is None else file
    text = _text(path, required=file is not None)
    given = os.environ if environment is None else environment
    origins: dict[str, str] = {}
    tree: dict[str, Any] = {}
    _overlay(tree, _parsed(text, path), f"file {path}", origins)
    for variable, keys in ENVIRONMENT.items():
        if given.get(variable):
            _overlay(tree, _nested(keys, given[variable]), f"environment {variable}", origins)
    _overlay(tree, code or {}, "code", origins)
    try:
        return Loaded(msgspec.convert(tree, Settings, strict=False), origins)
    except msgspec.ValidationError as reason:
        raise _refused(str(reason), text, path) from reason


def _text(path: Path, required: bool) -> str:
    if not required and not path.is_file():
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as reason:
        raise ConfigError(f"{path}: {reason}", "a readable TOML file", "check the path") from reason


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        raise ConfigError(f"{path}: {reason}", "valid TOML", "correct the line named") from reason


def _overlay(tree: dict[str, Any], given: Mapping[str, Any], who: str, origins: dict[str, str], path: str = "") -> None:
    for key, value in given.items():
        here = f"{path}{key}"
        if isinstance(value, Mapping):
            _overlay(tree.setdefault(key, {}), value, who, origins, f"{here}.")
        else:
            tree[key] = value
            origins[here] = who


def _nested(keys: tuple[str, ...], value: str) -> dict[str, Any]:
    nested: Any = value
    for key in reversed(keys):
        nested = {key: nested}
    return dict(nested)


def _refused(reason: str, text: str, path: Path) -> ConfigError:
    unknown = re.search(r"unknown field `([^`]+)`", reason)
    key = unknown[1] if unknown else reason.rsplit(".", 1)[-1].strip("`[]. ")
    line = next((n for n, row in enumerate(text.splitlines(), 1) if re.match(rf"\s*\[?.*\b{re.escape(key)}\b", row)), 0)
    near = difflib.get_close_matches(key, list(_known_keys()), 1) if unknown else []
    return ConfigError(
        f"{path}{f', line {line}' if line else ''}: {reason}",
        "the keys and ranges of docs/configuration.md",
        f"did you mean {near[0]!r}?" if near else "correct or remove this key",
    )


def _known_keys() -> Iterator[str]:
    for part in (Settings, StoreSettings, LearnSettings, Surface, EventType, CleaningRules):
        yield from part.__struct_fields__
