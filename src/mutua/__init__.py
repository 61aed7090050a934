"""Recommendations in which user profiles and the recommender are optimised together, live.

Every public name is imported when it is first used, so that `import mutua` costs a few milliseconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mutua.config import LearnSettings, Loaded, Settings, StoreSettings, load
    from mutua.errors import DataError, MutuaError, StoreError, UsageError
    from mutua.events.cleaning import CleaningRules
    from mutua.events.kinds import (
        Consent,
        Edit,
        IdentityLink,
        Impression,
        Interaction,
        ItemUpsert,
        UserUpsert,
    )
    from mutua.events.types import EventType
    from mutua.lab.document import Document
    from mutua.lab.protocols import Options
    from mutua.pipeline.explain import Explanation
    from mutua.pipeline.spec import Boost, Surface
    from mutua.privacy.forgetting import Receipt
    from mutua.profiles.profile import Profile
    from mutua.recommender import Acknowledged, Recommender
    from mutua.slates import Adjustment, Rating, Reason, Slate, SlateItem
    from mutua.store.recording import Recorded
    from mutua.training import Learned

_HOMES = {
    "mutua.config": ("LearnSettings", "Loaded", "Settings", "StoreSettings", "load"),
    "mutua.errors": ("DataError", "MutuaError", "StoreError", "UsageError"),
    "mutua.events.cleaning": ("CleaningRules",),
    "mutua.events.kinds": (
        "Consent",
        "Edit",
        "IdentityLink",
        "Impression",
        "Interaction",
        "ItemUpsert",
        "UserUpsert",
    ),
    "mutua.events.types": ("EventType",),
    "mutua.lab.document": ("Document",),
    "mutua.lab.protocols": ("Options",),
    "mutua.pipeline.explain": ("Explanation",),
    "mutua.pipeline.spec": ("Boost", "Surface"),
    "mutua.privacy.forgetting": ("Receipt",),
    "mutua.profiles.profile": ("Profile",),
    "mutua.recommender": ("Acknowledged", "Recommender"),
    "mutua.slates": ("Adjustment", "Rating", "Reason", "Slate", "SlateItem"),
    "mutua.store.recording": ("Recorded",),
    "mutua.training": ("Learned",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Acknowledged",
    "Adjustment",
    "Boost",
    "CleaningRules",
    "Consent",
    "DataError",
    "Document",
    "Edit",
    "EventType",
    "Explanation",
    "IdentityLink",
    "Impression",
    "Interaction",
    "ItemUpsert",
    "LearnSettings",
    "Learned",
    "Loaded",
    "MutuaError",
    "Options",
    "Profile",
    "Rating",
    "Reason",
    "Receipt",
    "Recommender",
    "Recorded",
    "Settings",
    "Slate",
    "SlateItem",
    "StoreError",
    "StoreSettings",
    "Surface",
    "UsageError",
    "UserUpsert",
    "__version__",
    "load",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'mutua' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
