"""One call of a command: the common options settled, and what it opens."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any

import typer

from mutua.cli.options import Common, options
from mutua.cli.screen import Screen
from mutua.config import Settings, load, tenant_key
from mutua.core.clock import parse_time
from mutua.recommender import Recommender
from mutua.store.sqlite.folder import Folder, every, located
from mutua.store.sqlite.store import SqliteStore

LOG = "log"


@dataclass
class Call:
    """What a command is given besides its own arguments."""

    common: Common

    @cached_property
    def screen(self) -> Screen:
        """Where the answer goes."""
        return Screen(bool(self.common.json))

    @cached_property
    def settings(self) -> Settings:
        """The settings in force when the command began, the options over them."""
        return self.read_settings()

    def read_settings(self, url: str | None = None) -> Settings:
        """Returns the settings as they are now, the options over them; of another store where its URL is given."""
        given: dict[str, Any] = {} if self.common.seed is None else {"seed": self.common.seed}
        store = {"url": url or self.common.store, "tenant": self.common.tenant}
        given["store"] = {name: value for name, value in store.items() if value is not None}
        return load(code=given).settings

    @property
    def url(self) -> str:
        """That of the one store that is meant."""
        store = self.settings.store
        return located(store.url, store.tenant)

    @property
    def folder(self) -> Folder | None:
        """The folder whose tenants are all meant, None where one store is."""
        store = self.settings.store
        return None if store.tenant else Folder.of(store.url)

    @property
    def urls(self) -> dict[str, str]:
        """Those of all stores that are meant, by tenant."""
        store = self.settings.store
        return every(store.url, store.tenant)

    @property
    def now(self) -> int | str | None:
        """The scoring time as `Recommender.open` takes it."""
        given = self.common.now
        return given if given is None or given == LOG else parse_time(given)

    def open(self, *, write: bool = False) -> Recommender:
        """Returns the recommender on the store."""
        return Recommender.open(settings=self.settings, now=self.now, write=write)

    def open_store(self, url: str | None = None, *, write: bool = False) -> SqliteStore:
        """Returns the store alone; another than the one that is meant where its URL is given."""
        settings = self.settings if url is None else self.read_settings(url)
        return SqliteStore.open(
            url or self.url, write=write, types=settings.declared_types, key=tenant_key(settings.store)
        )


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Returns a function of a `Call` and its own arguments as a command that has the common options too."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    shared = list(inspect.signature(options, eval_str=True).parameters.values())
    names = [one.name for one in shared]

    @wraps(function)
    def called(context: typer.Context, **given: Any) -> None:
        common = options(**{name: given.pop(name) for name in names})
        function(Call(common.over(context.obj or Common())), **given)

    first = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    spread = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *shared)]
    vars(called)["__signature__"] = inspect.Signature([first, *spread])
    called.__annotations__ = {}
    return called


def single(function: Callable[..., None]) -> typer.Typer:
    """Returns the application of one command."""
    made = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    made.command()(command(function))
    return made


def group(*functions: Callable[..., None], about: str) -> typer.Typer:
    """Returns the application of commands by the names of their functions."""
    made = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False, help=about)
    made.callback()(lambda: None)
    for function in functions:
        made.command(function.__name__.rstrip("_"))(command(function))
    return made
