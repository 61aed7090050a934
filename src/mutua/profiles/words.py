"""A profile in words and bars, for a terminal or a page; text only, no layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mutua.core.clock import format_span, format_time
from mutua.profiles.fusion import Fused
from mutua.profiles.interests import Interest
from mutua.profiles.lifecycle import Stage
from mutua.profiles.profile import Profile

EIGHTHS = " ▏▎▍▌▋▊▉█"
MOST_BARS = 5

STAGES = {
    Stage.NONE: "Nothing is known of what this user does.",
    Stage.NEW: "New: {visits} so far, the last {silence} ago.",
    Stage.ACTIVE: "Active: comes about every {rhythm}, last seen {silence} ago.",
    Stage.LAPSING: "Lapsing: used to come about every {rhythm}, last seen {silence} ago.",
    Stage.LOST: "Lost: used to come about every {rhythm}, not seen for {silence}.",
}


@dataclass(frozen=True)
class Bar:
    """One interest to draw: its label and its long-term and short-term shares, −1 to 1."""

    label: str
    long: float
    short: float


@dataclass(frozen=True)
class Section:
    """A part of a profile: a title, sentences, and bars below them."""

    title: str
    sentences: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()


def bar(share: float, width: int = 20) -> str:
    """Returns a share as a bar of `width` characters in steps of an eighth; below 0 it is empty, above 1 full.

    Example:
        >>> bar(0.5, 4), bar(0.1, 4)
        ('██  ', '▍   ')
    """
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width)


def words(profile: Profile, name: Callable[[str], str] = str) -> tuple[Section, ...]:
    """Returns a profile as sections that a person reads; sections with nothing to say are left out.

    Args:
        name: words for an item by its outer id.
    """
    sections = (
        Section(profile.user or "Somebody without a name", tuple(_overview(profile))),
        Section("Attributes", tuple(_attribute(fused) for fused in profile.attributes.values())),
        *(_interests(kind, found) for kind, found in profile.interests.kinds.items()),
        Section("Lately", tuple(_lately(profile))),
        Section("Most important items", tuple(_items(profile, name))),
        Section("Unusual", tuple(f"{a.text} ({a.code}, severity {a.severity:.2f})" for a in profile.anomalies)),
        Section("Consent", tuple(_consent(purpose, granted) for purpose, granted in profile.consent.items())),
    )
    return tuple(section for section in sections if section.sentences or section.bars)


def text(sections: tuple[Section, ...], width: int = 20) -> str:
    """Returns sections as plain text; behind each label stand its long-term and its short-term bar and share."""
    return "\n\n".join("\n".join(_lines(section, width)) for section in sections)


def _lines(section: Section, width: int) -> Iterator[str]:
    yield section.title
    yield from (f"  {sentence}" for sentence in section.sentences)
    margin = max((len(entry.label) for entry in section.bars), default=0)
    for entry in section.bars:
        long, short = (f"{bar(share, width)} {_percent(share):>5}" for share in (entry.long, entry.short))
        yield f"  {entry.label.ljust(margin)}  {long}   {short}"


def _overview(profile: Profile) -> Iterator[str]:
    cycle, history = profile.life_cycle, profile.history
    visits = "one visit" if cycle.visits == 1 else f"{cycle.visits} visits"
    yield STAGES[cycle.stage].format(
        visits=visits, silence=format_span(cycle.silence), rhythm=format_span(cycle.rhythm)
    )
    if history.events:
        yield f"{history.events} events on {history.items} items, the last on {format_time(history.last)}."
    if profile.segment:
        yield f"Segment: {profile.segment}."
    if profile.identities:
        yield f"Also known as {', '.join(profile.identities)}."


def _attribute(fused: Fused) -> str:
    value = ", ".join(map(str, fused.value)) if isinstance(fused.value, tuple) else fused.value
    said = f"{fused.name}: {value} (by {fused.winner.source}, {_percent(fused.confidence)} sure"
    against = ", ".join(f"{claim.source} says {claim.value}" for claim in fused.losing)
    return f"{said}; {against})" if against else f"{said})"


def _interests(kind: str, found: tuple[Interest, ...]) -> Section:
    bars = tuple(Bar(interest.label, interest.long, interest.short) for interest in found[:MOST_BARS])
    return Section(f"Interests by {kind} (lasting, lately)", bars=bars)


def _lately(profile: Profile) -> Iterator[str]:
    for verb, moved in (("rises", profile.interests.rising()), ("falls", profile.interests.falling())):
        for interest in moved[:MOST_BARS]:
            shares = f"from {_percent(interest.long)} to {_percent(interest.short)}"
            yield f"{interest.label} ({interest.kind}) {verb} {shares}."


def _items(profile: Profile, name: Callable[[str], str]) -> Iterator[str]:
    for top in profile.history.top[:MOST_BARS]:
        ago = f", last {format_span(profile.now - top.last)} ago" if top.last >= 0 else ""
        yield f"{name(top.item)}: {'once' if top.times == 1 else f'{top.times} times'}{ago}."


def _consent(purpose: str, granted: bool) -> str:
    return f"{purpose}: {'allowed' if granted else 'refused'}."


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
