"""The pipeline: candidates → guards and rules → rank → explore → constraints, guards checked again on the slate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mutua.core.laps import NOT_TIMED, Laps
from mutua.errors import UsageError
from mutua.models.base import Model
from mutua.models.topn import top_n
from mutua.pipeline.arrange import CERTAIN, Arranged, arranged, best, explored
from mutua.pipeline.candidates import Ask, gathered
from mutua.pipeline.exclude import NOTHING, seen_items
from mutua.pipeline.explore import deepest, greedy_odds, key_of, picks
from mutua.pipeline.guards import banned_items
from mutua.pipeline.plan import Plan as Plan
from mutua.pipeline.plan import prepared as prepared
from mutua.pipeline.plan import scored_items
from mutua.pipeline.spec import BY_POPULARITY
from mutua.profiles import fold
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Views
from mutua.slates import Slate, SlateItem, new_id
from mutua.snapshot import Items, Snapshot

Floats = npt.NDArray[np.float32]

NO_MODEL = Encoder.of((1.0,))
LONGEST = 1_000
"""Items that one slate may have."""
POOL = 2_000
"""Candidates that later stages choose from at most; diversity compares each with each."""


def recommend(
    plan: Plan,
    snapshot: Snapshot,
    n: int,
    seed: int = 0,
    omitted: Items = NOTHING,
    variant: str = "",
    laps: Laps = NOT_TIMED,
) -> Slate:
    """Returns the slate of up to n items for the snapshot's user.

    Args:
        seed: of exploration's draws, together with the user, the profile's version and the scoring time.
        omitted: int32 [m], items that this slate leaves out whatever the surface says; pins are not left out.
        variant: the branch of an experiment that the plan is of.
        laps: notes the stages `rank` and `rerank`.

    An unknown user, an empty history or no model at all is answered by what the model says of nobody in particular,
    in the end by popularity; the slate's notes say so.

    Raises:
        UsageError: code `usage`; n below 1 or above 1,000.

    Cost: one fold and one ranking for a plain surface; O(n · pool) beyond that, O(pool²) for diversity.
    """
    _check(n)
    encoder = NO_MODEL if plan.model is None else plan.model.encoder
    views = fold.view(snapshot.history, encoder, snapshot.now, snapshot.attributes)
    excluded = seen_items(plan.surface.exclude, plan.again, views)
    excluded = np.concatenate((excluded, omitted)) if len(omitted) else excluded
    if plan.direct:
        inner, entries = _direct(plan, snapshot, views, n, excluded, seed)
        laps.lap("rank")
    else:
        inner, entries = _staged(plan, snapshot, views, n, excluded, seed, laps)
    return Slate(
        new_id(),
        snapshot.user,
        entries,
        plan.name,
        snapshot.model_version,
        snapshot.version,
        snapshot.now,
        _notes(plan, snapshot, views, len(entries), n),
        tuple(inner) if len(inner) == len(entries) else (),
        variant,
    )


def similar(model: Model, snapshot: Snapshot, item: int, n: int) -> Slate:
    """Returns up to n items most like an item; those that guards keep back or that are not alike at all left out.

    Raises:
        UsageError: code `usage`; n below 1 or above 1,000.
    """
    _check(n)
    banned = banned_items((), snapshot.catalog, model.n_items)[: model.n_items]
    items, scores = top_n(model.similar(item), n, banned)
    outer = snapshot.items.outers(items.tolist())
    alike = zip(outer, scores.tolist(), strict=True)
    entries = tuple(SlateItem(name, score) for name, score in alike if name is not None and score > 0)
    notes = (snapshot.note,) if snapshot.note else ()
    return Slate(new_id(), None, entries, "similar", snapshot.model_version, 0, snapshot.now, notes)


def _check(n: int) -> None:
    if not 1 <= n <= LONGEST:
        raise UsageError(f"a slate of {n} items", f"1 to {LONGEST:,} items", "ask for a number within the range")


def _direct(plan: Plan, snapshot: Snapshot, views: Views, n: int, excluded: Items, seed: int) -> Arranged:
    """The best n by score, some by chance; ranked only as deep as chance draws where the pool's size is known before.

    It is where enough items are left whatever was excluded.
    """
    rate = plan.surface.explore
    if not rate:
        return best(snapshot, *_ranked(plan, snapshot, views, n, excluded), CERTAIN)
    key, pool = _key(snapshot, seed), _pool(plan, n)
    if plan.open_items - len(excluded) >= pool:
        chosen = picks(n, pool, rate, key)
        if not chosen:
            return best(snapshot, *_ranked(plan, snapshot, views, n, excluded), greedy_odds(n, pool, rate))
        ranked = _ranked(plan, snapshot, views, max(n, deepest(chosen)), excluded)
        return explored(snapshot, *ranked, n, pool, rate, chosen)
    items, scores = _ranked(plan, snapshot, views, pool, excluded)
    pool, depth = len(items), min(n, len(items))
    return explored(snapshot, items, scores, depth, pool, rate, picks(depth, pool, rate, key))


def _staged(plan: Plan, snapshot: Snapshot, views: Views, n: int, excluded: Items, seed: int, laps: Laps) -> Arranged:
    pool = _pool(plan, n)
    if plan.surface.ranks_all:
        items, scores = _ranked(plan, snapshot, views, pool, excluded)
    else:
        items, scores = gathered(Ask(plan, snapshot, views, pool, _open(plan, snapshot, excluded)))
    laps.lap("rank")
    placed = arranged(plan, snapshot, items, scores, n, _key(snapshot, seed))
    laps.lap("rerank")
    return placed


def _pool(plan: Plan, n: int) -> int:
    return min(n * plan.surface.pool, max(n, POOL))


def _key(snapshot: Snapshot, seed: int) -> bytes:
    return key_of(seed, snapshot.user, snapshot.version, snapshot.now)


def _ranked(plan: Plan, snapshot: Snapshot, views: Views, n: int, excluded: Items) -> tuple[Items, Floats]:
    size = scored_items(plan.model, snapshot)
    banned = None if plan.banned is None else plan.banned[:size]
    if plan.ranks is not None:
        return plan.ranks.top(views, n, excluded, banned)
    row = snapshot.popularity if plan.model is None else plan.model.score(views)[0]
    out = np.zeros(size, np.bool_) if banned is None else banned.copy()
    out[excluded[excluded < size]] = True
    return top_n(row, n, out)


def _open(plan: Plan, snapshot: Snapshot, excluded: Items) -> npt.NDArray[np.bool_]:
    """Bool [items]: those with a row in the catalogue that neither guards, rules nor the user's past keep back."""
    size = snapshot.catalog.size
    allowed = np.zeros(max(size, scored_items(plan.model, snapshot)), np.bool_)
    allowed[:size] = True if plan.banned is None else ~plan.banned[:size]
    allowed[excluded[excluded < size]] = False
    return allowed


def _notes(plan: Plan, snapshot: Snapshot, views: Views, found: int, n: int) -> tuple[str, ...]:
    model = plan.model
    if model is not None and found == n and len(views.item) and not snapshot.note:
        return ()
    notes = [snapshot.note] if snapshot.note else []
    if model is None and plan.surface.ranker != BY_POPULARITY:
        notes.append("no model has been learned: ordered by popularity")
    elif model is not None and not len(views.item):
        known = views.attributes is not None and bool(views.attributes.any())
        notes.append(f"no history: ordered by {'attributes and ' if known else ''}what holds for everyone")
    if found < n:
        notes.append(f"{found} of {n} items: the others are excluded, out of stock or do not match the rules")
    return tuple(notes)
