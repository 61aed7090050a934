"""Models on disk: a directory of plain arrays whose kind is the model's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from mutua.core import arrays
from mutua.errors import DamagedModel, UnknownPart
from mutua.models.base import Arrays, Model
from mutua.models.registry import learner_class


def save(folder: Path, model: Model, about: dict[str, Any] | None = None) -> None:
    """Writes `model` as `folder`, which must not exist; atomic and durable.

    Args:
        about: JSON values to keep beside it (version, range of the data, metrics).
    """
    arrays.save(folder, model.name, model.arrays(), {"model": dict(model.meta()), "about": about or {}})


def restore(folder: Path) -> Model:
    """Returns the model that `folder` holds, its arrays memory-mapped.

    Raises:
        DamagedModel: code `model.damaged`; a file is missing or altered, or the model is of an unknown kind.
    """
    kind = arrays.read_manifest(folder).kind
    found, meta = arrays.load(folder, kind)
    return revived(folder.name, kind, found, meta["model"])


def revived(place: str, kind: str, found: Arrays, meta: Mapping[str, Any]) -> Model:
    """Returns the model of a kind that arrays and metadata describe; `place` is where they are from.

    Raises:
        DamagedModel: code `model.damaged`; of an unknown kind, or arrays that do not fit together.
    """
    try:
        model: type[Model] = cast(Any, learner_class(kind)).model
        return model.restore(found, meta)
    except UnknownPart as reason:
        raise damaged(place, f"a model of kind {kind!r}") from reason
    except (KeyError, ValueError, TypeError, IndexError) as reason:
        raise damaged(place, f"{type(reason).__name__}: {reason}") from reason


def about(folder: Path) -> dict[str, Any]:
    """Returns what was kept beside the model in `folder`.

    Raises:
        DamagedModel: code `model.damaged`; no manifest, or not one of ours.
    """
    return dict(arrays.read_manifest(folder).meta.get("about", {}))


def damaged(place: str, came: str) -> DamagedModel:
    """Returns the error of a directory that holds no model we can restore."""
    return DamagedModel(
        f"{place}: {came}", "a model that this version wrote", "learn again, or roll back to an earlier version"
    )
