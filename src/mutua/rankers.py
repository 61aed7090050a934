"""The models that rank: the one in force, those that surfaces name, and the one that foresees ratings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from mutua.errors import DamagedModel, NoModel
from mutua.models.base import Model, ReadsAttributes
from mutua.models.joint.arrivals import Arrivals
from mutua.models.joint.newcomers import Newcomers, opened
from mutua.models.saving import revived
from mutua.pipeline.spec import BY_MODEL, BY_POPULARITY
from mutua.store.models import ModelFolders, Stored

Floats = npt.NDArray[np.float32]
RATINGS = "ratings"
"""Folder, beside the model versions, of the model that foresees ratings."""
KEPT = 4
"""Versions besides the one in force that are kept in memory for surfaces that name them."""


@dataclass(frozen=True)
class InForce:
    """The model that serves.

    Args:
        model: None before any was learned.
        reads: the same, where it reads attributes of users.
        version: empty for None.
        note: why an earlier version serves, empty where the newest does.
        encoded: attributes of users as this model reads them, by inner index.
    """

    model: Model | None = None
    reads: ReadsAttributes | None = None
    version: str = ""
    note: str = ""
    encoded: dict[int, Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Stored) -> Self:
        """Returns the model that is stored."""
        model = revived(stored.version, stored.name, stored.arrays, stored.meta)
        return cls(model, model if isinstance(model, ReadsAttributes) else None, stored.version, stored.note)


COUNTS = InForce()
"""Popularity: no model, whatever is in force."""


class Rankers:
    """The models of one store that are in memory. Everything here can be dropped at any time."""

    def __init__(self, models: ModelFolders) -> None:
        self._models = models
        self.in_force = InForce()
        self.arrivals: Arrivals | None = None
        self._named: dict[str, InForce] = {}
        self._ratings: Model | None = None
        self._ratings_read = False
        self._published = (0, 0)

    @property
    def moved(self) -> bool:
        """Whether another version was published than the one that was loaded."""
        return self._models.state() != self._published

    def named(self, name: str) -> InForce:
        """Returns what a surface's `ranker` names; the model in force, with a note, for a version that is not kept."""
        if name == BY_POPULARITY:
            return COUNTS
        if name == BY_MODEL:
            return self.in_force
        found = self._named.get(name)
        if found is None:
            try:
                found = InForce.of(self._models.load(name))
            except (NoModel, DamagedModel) as reason:
                found = replace(self.in_force, note=f"the model in force ranks: {reason.came}")
            if len(self._named) >= KEPT:
                self._named.clear()
            self._named[name] = found
        return found

    def load(self) -> None:
        """Takes the newest undamaged model into use; a damaged one is told of in every slate's notes."""
        self._published = self._models.state()
        self._named.clear()
        self._ratings, self._ratings_read = None, False
        self.arrivals = None
        try:
            learned = InForce.of(self._models.load())
            open_model = None if learned.model is None else opened(learned.model)
            self.in_force = replace(learned, model=open_model)
            self.arrivals = Arrivals(open_model) if isinstance(open_model, Newcomers) else None
        except NoModel:
            self.in_force = InForce()
        except DamagedModel as reason:
            self.in_force = InForce(note=str(reason))

    @property
    def model(self) -> Model:
        """The model in force.

        Raises:
            NoModel: code `model.none`; nothing was learned, or nothing that can be read.
        """
        if self.in_force.model is None:
            raise NoModel(self.in_force.note or "no model", "a learned model", "learn first")
        return self.in_force.model

    @property
    def rating_model(self) -> Model | None:
        """The model that foresees ratings, None where nobody has rated; read when it is first asked for.

        Raises:
            DamagedModel: code `model.damaged`.
        """
        if not self._ratings_read:
            try:
                rated = self.rating_models.load()
                self._ratings = revived(RATINGS, rated.name, rated.arrays, rated.meta)
            except NoModel:
                self._ratings = None
            self._ratings_read = True
        return self._ratings

    @property
    def rating_models(self) -> ModelFolders:
        """Where the model that foresees ratings is kept: one version, so that none outlives a forgotten user."""
        return ModelFolders(self._models.root / RATINGS, kept=1)

    def forget_encoded(self, users: Iterable[int] | None = None) -> None:
        """Forgets what models made of these users' attributes, or of everybody's."""
        for force in (self.in_force, *self._named.values()):
            for user in tuple(force.encoded) if users is None else users:
                force.encoded.pop(user, None)
