"""Trials for the tools that people watch experiments with: TensorBoard's event files, Weights & Biases offline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from mutua.errors import MissingExtra
from mutua.tuning.wanted import METRIC, Told, Tried

Opened = Callable[[Path], Iterator[Told]]


@contextmanager
def tensorboard(folder: Path) -> Iterator[Told]:
    """Yields what writes trials into event files in `folder`: value, seconds, and every setting.

    Raises:
        MissingExtra: code `extra.missing`; tensorboardX is not installed.
    """
    writer = _library("tensorboardX", "the extra `tune`", "pip install 'mutua[tune]'").SummaryWriter(str(folder))

    def told(tried: Tried) -> None:
        for name, number in figures(tried).items():
            writer.add_scalar(name, number, tried.number)
        words = {name: word for name, word in tried.settings.items() if isinstance(word, str)}
        for name, word in words.items():
            writer.add_text(f"settings/{name}", word, tried.number)

    try:
        yield told
    finally:
        writer.close()


@contextmanager
def wandb(folder: Path) -> Iterator[Told]:
    """Yields what writes trials as an offline run of Weights & Biases below `folder`; nothing is sent anywhere.

    Raises:
        MissingExtra: code `extra.missing`; wandb is not installed.
    """
    library = _library("wandb", "the package `wandb`", "pip install wandb")
    folder.mkdir(parents=True, exist_ok=True)
    run = library.init(mode="offline", project="mutua", dir=str(folder))
    try:
        yield lambda tried: run.log({**tried.settings, **figures(tried)}, step=tried.number)
    finally:
        run.finish()


def figures(tried: Tried) -> dict[str, float]:
    """Returns the numbers of a trial by name."""
    numbers = {f"settings/{name}": float(one) for name, one in tried.settings.items() if not isinstance(one, str)}
    return {METRIC: tried.value, "seconds": tried.seconds, "steps": float(len(tried.steps)), **numbers}


def _library(name: str, wanted: str, do: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as reason:
        raise MissingExtra(f"{name} is not installed", wanted, do) from reason
