"""Settings of all parts: code beats environment beats the store's own file beats `mutua.toml` beats default."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec

from mutua.errors import ConfigError, UsageError
from mutua.events.cleaning import CleaningRules
from mutua.events.types import DEFAULT_TYPES, EventType
from mutua.feedback.experiments import BETWEEN, Experiment, Variant
from mutua.pipeline.spec import Boost, Surface
from mutua.store.sqlite.folder import own_settings

FILE = "mutua.toml"
KEY = "MUTUA_KEY"
FROM_FILE = "file "
NAMED: Mapping[str, type] = {"types": EventType, "surfaces": Surface, "experiments": Experiment}
"""Tables whose entries the user names."""
PLAIN = Surface()
ENVIRONMENT = {
    "MUTUA_STORE": ("store", "url"),
    "MUTUA_TENANT": ("store", "tenant"),
    "MUTUA_SEED": ("seed",),
    "MUTUA_MODEL": ("learn", "model"),
    "MUTUA_BUDGET": ("learn", "budget"),
}


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the store is, whose in a folder of several, and whether payloads are sealed (see `tenant_key`)."""

    url: str = "sqlite:///mutua.db"
    tenant: str = ""
    seal: bool = False


class LearnSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is learned, and when it is put in force.

    Args:
        model: its name, with settings if wanted.
        budget: seconds for choosing its hyper-parameters; 0: its defaults.
        judge_hours: the newest hours of the log that a new model is judged on beside the one in force; 0: never.
        tolerance: share by which it may foresee them worse and still be put in force.
    """

    model: str = "default"
    budget: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    judge_hours: Annotated[float, msgspec.Meta(ge=0)] = 24.0
    tolerance: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.02


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a store.

    Args:
        types: event types by name, added to the defaults; a type not declared is kept at weight 0 and reported.
        surfaces: pipelines by name; `default` is used where none is named.
        experiments: by name, surfaces whose users are split between configurations.
        seed: of every random draw.
    """

    store: StoreSettings = StoreSettings()
    types: dict[str, EventType] = {}
    surfaces: dict[str, Surface] = {}
    cleaning: CleaningRules = CleaningRules()
    learn: LearnSettings = LearnSettings()
    experiments: dict[str, Experiment] = {}
    seed: int = 0

    def __post_init__(self) -> None:
        split: set[str] = set()
        for name, experiment in self.experiments.items():
            for surface in (experiment.surface, *(one.surface for one in experiment.variants.values())):
                if surface != "default" and surface not in self.surfaces:
                    raise UsageError(
                        f"experiments.{name}: surface {surface!r}", "a surface that is declared", "declare it"
                    )
            if experiment.surface in split or BETWEEN in name:
                raise UsageError(
                    f"experiments.{name}: a second one on {experiment.surface!r}, or {BETWEEN!r} in its name",
                    "one experiment a surface",
                    "end one of them, or name it otherwise",
                )
            split.add(experiment.surface)

    @property
    def declared_types(self) -> Mapping[str, EventType]:
        """The defaults with the declared types over them."""
        return {**DEFAULT_TYPES, **self.types}

    def surface(self, name: str = "default") -> Surface:
        """Returns a surface by name.

        Raises:
            ConfigError: code `config.invalid`; not declared.
        """
        found = self.surfaces.get(name)
        if found is not None:
            return found
        if name == "default":
            return PLAIN
        raise ConfigError(
            f"surface {name!r}",
            f"one of {', '.join(['default', *self.surfaces])}",
            f"declare [surfaces.{name}] in {FILE}",
        )


def tenant_key(store: StoreSettings, environment: Mapping[str, str] | None = None) -> bytes | None:
    """Returns the key that payloads are sealed under, 32 bytes; None where the store is not sealed.

    It comes from `MUTUA_KEY` alone, so that no file with settings holds a secret.

    Args:
        environment: default the process's own.

    Raises:
        ConfigError: code `config.invalid`; the store is sealed and there is no key of 64 hexadecimal digits.
    """
    if not store.seal:
        return None
    given = (os.environ if environment is None else environment).get(KEY, "")
    if re.fullmatch(r"[0-9a-fA-F]{64}", given) is None:
        raise ConfigError(
            f"a sealed store and {'a malformed' if given else 'no'} {KEY}",
            "64 hexadecimal digits",
            'python -c "import secrets; print(secrets.token_hex(32))" makes a key; lose it and the payloads are lost',
        )
    return bytes.fromhex(given)


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

    What stands in `shop.toml` beside the store `shop.db` is of that store alone.

    Args:
        file: a TOML file; default `mutua.toml` in the working directory, if it is there.
        environment: default the process's own.
        code: nested overrides, such as `{"store": {"url": …}}`.

    Raises:
        ConfigError: code `config.invalid`; a file that is not TOML, an unknown key, a value out of range.
    """
    path = Path(FILE) if file is None else file
    layers = _layers(path, file is not None, os.environ if environment is None else environment, code or {})
    origins: dict[str, str] = {}
    tree: dict[str, Any] = {}
    for layer in layers:
        _overlay(tree, layer.said, layer.who, origins)
    whole = _completed(tree)
    try:
        return Loaded(msgspec.convert(whole, Settings, strict=False), origins)
    except msgspec.ValidationError as reason:
        raise _refused(_located(str(reason), whole), layers, origins) from reason
    except UsageError as reason:
        raise _refused(_located(f"{reason.came}; expected: {reason.expected}", whole), layers, origins) from reason


def defaults(_: str) -> Settings:
    """Returns the settings of a store where nothing is said, wherever it is."""
    return Settings()


def settings_files(url: str) -> tuple[Path, ...]:
    """Returns the files that the settings of a store may stand in, there or not: what the first says counts first."""
    beside = own_settings(url)
    return (Path(FILE),) if beside is None else (beside, Path(FILE))


@dataclass(frozen=True)
class _Layer:
    """What one source of settings says, and its text where it is a file."""

    who: str
    said: Mapping[str, Any]
    text: str = ""

    @classmethod
    def of_file(cls, file: Path, required: bool = False) -> Self:
        text = _text(file, required)
        return cls(f"{FROM_FILE}{file}", _parsed(text, file), text)


def _layers(file: Path, required: bool, environment: Mapping[str, str], code: Mapping[str, Any]) -> list[_Layer]:
    """What each source says, each over those before it."""
    first = _Layer.of_file(file, required)
    over = [
        _Layer(f"environment {name}", _nested(keys, environment[name]))
        for name, keys in ENVIRONMENT.items()
        if environment.get(name)
    ]
    over.append(_Layer("code", code))
    beside = _beside([first, *over])
    if beside is None or beside.absolute() == file.absolute():
        return [first, *over]
    own = _Layer.of_file(beside)
    _check_own(own)
    return [first, own, *over]


def _beside(layers: Iterable[_Layer]) -> Path | None:
    """The file of its own of the store that is named, the last to name it counting; None where none is."""
    named: dict[str, Any] = {}
    for layer in layers:
        if isinstance(store := layer.said.get("store"), Mapping):
            named |= store
    return own_settings(str(named.get("url", StoreSettings().url)), str(named.get("tenant", "")))


def _check_own(own: _Layer) -> None:
    """Refuses a store's own file that says where a store is: it is found by that."""
    store = own.said.get("store")
    for name in ("url", "tenant"):
        if isinstance(store, Mapping) and name in store:
            raise ConfigError(
                f"{own.who}, line {_line(own.text, f'store.{name}')}: store.{name}",
                "settings of the store that it stands beside",
                f"name the store in {FILE} or with --store",
            )


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
            below = tree.setdefault(key, {})
            if not isinstance(below, dict):
                raise ConfigError(f"{here} = {below!r} of {origins[here]}", f"a table [{here}]", "write it as a table")
            _overlay(below, value, who, origins, f"{here}.")
        else:
            tree[key] = value
            origins[here] = who


def _nested(keys: tuple[str, ...], value: str) -> dict[str, Any]:
    nested: Any = value
    for key in reversed(keys):
        nested = {key: nested}
    return dict(nested)


def _completed(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree in which a declaration of a default type changes what it names and keeps the rest, aliases included."""
    types = tree.get("types")
    if not isinstance(types, dict):
        return tree
    defaults = {name: msgspec.to_builtins(DEFAULT_TYPES[name]) for name in types.keys() & DEFAULT_TYPES.keys()}
    whole = {
        name: {**defaults.get(name, {}), **said} if isinstance(said, dict) else said for name, said in types.items()
    }
    return {**tree, "types": whole}


def _refused(reason: str, layers: Iterable[_Layer], origins: Mapping[str, str]) -> ConfigError:
    """The error of a setting, with who gave it, and where in his file."""
    what, _, where = reason.partition(" - at ")
    unknown = re.search(r"unknown field `([^`]+)`", what)
    steps = [*_steps(where), *([re.escape(unknown[1])] if unknown and not re.search(r"\[\d", where) else [])]
    given = [match[0] for path in origins if (match := re.match(r"\.".join(steps) + r"(?![^.])", path))]
    path = given[0] if len(set(given)) == 1 or (given and unknown) else ""
    giver = next((who for full, who in origins.items() if path and full.startswith(path)), "the settings")
    line = _line(next((layer.text for layer in layers if layer.who == giver), ""), path)
    near = difflib.get_close_matches(unknown[1], list(_known_keys()), 1) if unknown else []
    return ConfigError(
        f"{giver}{f', line {line}' if line else ''}: {path or where.strip('`$.')}: {what}",
        "the keys and ranges of docs/configuration.md",
        f"did you mean {near[0]!r}?" if near else "correct or remove this key",
    )


def _located(reason: str, tree: Mapping[str, Any]) -> str:
    """The reason with the name of the entry that it is about, which the parser leaves open: `$.surfaces[...]`."""
    what, _, where = reason.partition(" - at ")
    if (within := re.match(r"(experiments\.[\w-]+): ", what)) is not None:
        return f"{what[within.end() :]} - at `$.{within[1]}`"
    for table, kind in NAMED.items():
        for name, entry in tree.get(table, {}).items() if f"$.{table}[...]" in where or not where else ():
            if not _fits(entry, kind):
                rest = where.partition("[...]")[2].strip("`") if where else _culprit(entry, kind)
                return f"{what} - at `$.{table}.{name}{rest}`"
    return reason


def _fits(entry: Any, kind: type) -> bool:
    try:
        msgspec.convert(entry, kind, strict=False)
    except (msgspec.ValidationError, UsageError):
        return False
    return True


def _culprit(entry: Mapping[str, Any], kind: type) -> str:
    """The key without which the entry would do, after a dot; empty where there is no such key."""
    others = ({name: value for name, value in entry.items() if name != key} for key in entry)
    return next((f".{key}" for key, rest in zip(entry, others, strict=True) if _fits(rest, kind)), "")


def line_of(file: Path, path: str) -> int:
    """Returns the last 1-based line of a settings file that names a dotted path, or a key above it; 0 for none."""
    return _line(_text(file, required=False), path)


def _steps(where: str) -> Iterator[str]:
    """The parts of a path such as `$.surfaces[...].boosts[0].factor` as patterns, up to the first list."""
    for name, index in re.findall(r"\.([\w-]+)|\[([^\]]+)\]", where.partition("$")[2]):
        if index.isdecimal():
            return
        yield re.escape(name) if name else r"[^.]+"


def _line(text: str, path: str) -> int:
    """Returns the last 1-based line of TOML that names a dotted path, or a key above it; 0 where none does."""
    table, found = "", 0
    for number, row in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\]]+)\]", row):
            table = re.sub(r"[\s\"']", "", header[1])
            found = number if table == path else found
        elif key := re.match(r"\s*([\w.\"'-]+)\s*=", row):
            here = f"{table}.{key[1]}".strip(".").translate({ord(quote): None for quote in "\"'"})
            found = number if f"{path}.".startswith(f"{here}.") else found
    return found


def _known_keys() -> Iterator[str]:
    for part in (Settings, StoreSettings, LearnSettings, Surface, Boost, EventType, CleaningRules, Experiment, Variant):
        yield from part.__struct_fields__
