"""What is told of the versions of a model, to people and to callers of the server."""

from __future__ import annotations

from typing import Any

from mutua.core.clock import format_time
from mutua.errors import DamagedModel
from mutua.store.models import ModelFolders


def listed(folders: ModelFolders) -> list[dict[str, Any]]:
    """Returns each version kept, oldest first: what it is, whether it serves, and how it was judged."""
    current, pinned, rejected = folders.current(), folders.standing.pinned, folders.standing.rejected()
    return [
        {
            "version": version,
            "current": version == current,
            "pinned": version == current and pinned,
            "rejected": version != current and version in rejected,
            **_learned(folders, version),
        }
        for version in folders.versions()
    ]


def _learned(folders: ModelFolders, version: str) -> dict[str, Any]:
    try:
        manifest = folders.manifest(version)
    except DamagedModel as reason:
        note = f"damaged: {reason.came}"
        return {"model": "", "learned": None, "sequence": None, "verdict": None, "note": note}
    about = manifest.meta["about"]
    return {
        "model": manifest.kind,
        "learned": format_time(about["learned"]) if "learned" in about else None,
        "sequence": about["sequence"],
        "verdict": about.get("verdict"),
        "note": "",
    }
