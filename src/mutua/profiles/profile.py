"""The profile: everything known of one user at one instant. A function of the log; nothing in it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mutua.catalog.table import CATEGORY, Labels
from mutua.core.clock import SECOND, format_time
from mutua.core.ids import Vocabulary
from mutua.events.kinds import Consent
from mutua.profiles import fold
from mutua.profiles.anomalies import Anomaly, anomalies_of
from mutua.profiles.facts import Fact
from mutua.profiles.fusion import NEWEST, NO_CONTEXT, Fused, Rule, fuse
from mutua.profiles.history import History
from mutua.profiles.interests import LONG, Interest, Interests, fading, interests_of
from mutua.profiles.lifecycle import LifeCycle, life_cycle
from mutua.profiles.population import Population
from mutua.profiles.segments import interest_vectors
from mutua.profiles.summary import HistorySummary, outer_id, summary_of


@dataclass(frozen=True)
class Profile:
    """Everything known of one user at one instant, but for a model's embedding, which belongs to the model.

    Args:
        user: outer id, None for anonymous; version: sequence number of the newest event in it, 0 for none.
        now: the instant, microseconds UTC.
        attributes: fused value by name, with winner, confidence and losing claims.
        interests: by category, brand, price band, tag.
        history, life_cycle, anomalies: as their names say; segment: name of the group, None where there is none.
        identities: outer ids that are the same person, `user` left out.
        consent: by purpose, whether the user allows it; purposes never spoken of are missing.
        names: outer id of every inner item that is mentioned.
    """

    user: str | None
    version: int
    now: int
    attributes: Mapping[str, Fused]
    interests: Interests
    history: HistorySummary
    life_cycle: LifeCycle
    segment: str | None = None
    anomalies: tuple[Anomaly, ...] = ()
    identities: tuple[str, ...] = ()
    consent: Mapping[str, bool] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Returns the profile as JSON values: times in RFC 3339, spans in seconds, items in outer ids."""
        return {
            "user": self.user,
            "version": self.version,
            "now": format_time(self.now),
            "attributes": {name: _fused(fused) for name, fused in self.attributes.items()},
            "interests": {kind: [self._interest(i) for i in found] for kind, found in self.interests.kinds.items()},
            "rising": [f"{interest.kind}:{interest.label}" for interest in self.interests.rising()],
            "falling": [f"{interest.kind}:{interest.label}" for interest in self.interests.falling()],
            "history": {
                "events": self.history.events,
                "exact": self.history.exact,
                "since": _time(self.history.since),
                "last": _time(self.history.last),
                "items": self.history.items,
                "top": [
                    {"item": top.item, "weight": top.weight, "times": top.times, "last": _time(top.last)}
                    for top in self.history.top
                ],
            },
            "life_cycle": {
                "stage": str(self.life_cycle.stage),
                "silence_seconds": self.life_cycle.silence // SECOND,
                "rhythm_seconds": round(self.life_cycle.rhythm / SECOND),
                "visits": self.life_cycle.visits,
            },
            "segment": self.segment,
            "anomalies": [
                {"code": a.code, "severity": a.severity, "text": a.text, "sequences": list(a.sequences)}
                for a in self.anomalies
            ],
            "identities": list(self.identities),
            "consent": dict(self.consent),
        }

    def _interest(self, interest: Interest) -> dict[str, Any]:
        return {
            "label": interest.label,
            "long": interest.long,
            "short": interest.short,
            "events": interest.events,
            "last": _time(interest.last),
            "sequences": list(interest.sequences),
            "items": [{"item": self.names[item], "weight": weight} for item, weight in interest.items],
        }


def build(
    history: History,
    population: Population,
    now: int,
    *,
    item_ids: Vocabulary,
    user: str | None = None,
    facts: Iterable[Fact] = (),
    rule: Rule = NEWEST,
    context: Mapping[str, Any] = NO_CONTEXT,
    identities: Iterable[str] = (),
    consent: Iterable[Consent] = (),
) -> Profile:
    """Returns the profile of one user at `now` (microseconds UTC), from what is known then; pure.

    Args:
        history: of all linked identities (`identity.merged`), already cut at the instant wanted.
        population: what the user is read against.
        facts: what sources say of the user; rule and context: how to choose between them.
        consent: the user's consents in log order.

    Cost: a few milliseconds.
    """
    interests = interests_of(history, population.items, population.type_weights, now)
    summary, mentioned = summary_of(history, population.type_weights, now, item_ids)
    mentioned |= {item for found in interests.kinds.values() for interest in found for item, _ in interest.items}
    categories = population.items.labels(CATEGORY)
    return Profile(
        user=user,
        version=history.version,
        now=now,
        attributes=fuse(facts, rule, context),
        interests=interests,
        history=summary,
        life_cycle=life_cycle(history.time, now, population.rhythms),
        segment=_segment(history, population, now, categories),
        anomalies=anomalies_of(history, now, population.norms, categories),
        identities=tuple(sorted(set(identities) - {user})),
        consent=standing_consent(consent),
        names={item: outer_id(item_ids, item) for item in sorted(mentioned)},
    )


def standing_consent(consents: Iterable[Consent]) -> dict[str, bool]:
    """Returns the newest word on every purpose; consents come in log order, which decides where times are equal."""
    newest: dict[str, tuple[int, bool]] = {}
    for consent in consents:
        time = consent.time or 0
        if consent.purpose not in newest or newest[consent.purpose][0] <= time:
            newest[consent.purpose] = time, consent.granted
    return {purpose: granted for purpose, (_, granted) in sorted(newest.items())}


def _segment(history: History, population: Population, now: int, categories: Labels | None) -> str | None:
    if population.segments is None or categories is None:
        return None
    view = fold.view(history, fading(population.type_weights, LONG), now)
    segments, weights = population.segments, interest_vectors(view, categories)[0]
    found = segments.assign(segments.ordered(weights, categories.levels))
    return segments.names[found] if found >= 0 else None


def _fused(fused: Fused) -> dict[str, Any]:
    return {
        "value": fused.value,
        "source": fused.winner.source,
        "time": format_time(fused.winner.time),
        "confidence": fused.confidence,
        "supporting": [claim.source for claim in fused.supporting],
        "losing": [
            {"value": claim.value, "source": claim.source, "time": format_time(claim.time)} for claim in fused.losing
        ],
    }


def _time(micros: int) -> str | None:
    return None if micros < 0 else format_time(micros)
