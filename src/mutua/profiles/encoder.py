"""The profile encoder P: how much each event of a history weighs at a given time.

`h_u(t)[i] = Σ_e Σ_bk ω[type_e, b, k] · b(value_e) · 2^{−(t − t_e)/τ_k}` over the user's events e on item i.
What is learned are the weights ω over a fixed grid, so new weights never refold a profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from mutua.core.clock import DAY, HOUR, MINUTE

HALF_LIVES = np.array([30 * MINUTE, 6 * HOUR, 2 * DAY, 14 * DAY, 90 * DAY, np.inf])
"""The grid τ_k, float64 [6], microseconds."""
BASES = ("one", "value", "above-mean")
"""The value bases b: 1, the value, the value above the user's mean (both 0 where there is no value)."""
NO_DECAY = (0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
"""Shares over the grid by which nothing fades."""


@dataclass(frozen=True, eq=False)
class Encoder:
    """Weights over event types, value bases and the grid of half-lives.

    Args:
        weights: float64 [types, 3, 6], ω; a type beyond the table weighs 0.
        targets: bool [types], the types that count as having the item (gap and count of the repeat term).
        extra: float64 [c, types, 3, 6], more weights of the same form, for models that see a history in several
            lights at once (long-term and session, say); they become `Views.extra`.
    """

    weights: npt.NDArray[np.float64]
    targets: npt.NDArray[np.bool_]
    extra: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 3, len(HALF_LIVES))))

    @cached_property
    def channels(self) -> npt.NDArray[np.float64]:
        """float64 [1 + c, types, 3, 6]: the weights and the extra ones."""
        own = self.weights[None]
        return np.concatenate((own, self.extra)) if len(self.extra) else np.ascontiguousarray(own)

    @classmethod
    def of(
        cls,
        type_weights: npt.ArrayLike = (1.0,),
        targets: npt.ArrayLike | None = None,
        *,
        shares: npt.ArrayLike = NO_DECAY,
        bases: npt.ArrayLike = (1.0, 0.0, 0.0),
        extra: Sequence[Encoder] = (),
    ) -> Encoder:
        """Returns an encoder whose types share one decay and one use of values.

        Args:
            type_weights: weight by type index.
            targets: by type, see above; default: the types of positive weight.
            shares: float [6], weights over `HALF_LIVES`.
            bases: float [3], weights over `BASES`.
            extra: encoders over the same types whose weights become the extra channels.
        """
        by_type = np.asarray(type_weights, np.float64)
        weights = np.einsum("y,b,k->ybk", by_type, np.asarray(bases, np.float64), np.asarray(shares, np.float64))
        counted = by_type > 0 if targets is None else np.asarray(targets, np.bool_)
        return cls(weights, counted, np.stack([other.weights for other in extra])) if extra else cls(weights, counted)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Returns what `restore` needs, by name."""
        return {"encoder_weights": self.weights, "encoder_targets": self.targets, "encoder_extra": self.extra}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Encoder:
        """Returns the encoder that `arrays` holds, in memory of its own: kernels are slower to call on mapped files."""
        return cls(*(np.array(arrays[f"encoder_{name}"]) for name in ("weights", "targets", "extra")))
