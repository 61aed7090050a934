"""The story for a person: tables, words and bars."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import RenderableType
from rich.table import Table

from mutua.demo.comparing import Comparison, K
from mutua.demo.story import Moment, Story
from mutua.lab.tables import shown
from mutua.profiles.interests import Interest
from mutua.profiles.words import bar, text, words
from mutua.slates import Slate
from mutua.voice import Voice

FIGURES = ("ndcg", "recall")
REASONS = 2
LEAST_SHARE = 0.05
SHOWN_CHANGES = 4
LEAST_SHIFT = 0.005


def comparison(found: Comparison | None, skipped: str) -> list[RenderableType]:
    """Returns the table of models."""
    if found is None:
        return [skipped]
    made = _table("\nmodel", *(f"{group}\n{name}@{K}" for group in found.users for name in FIGURES), "\nfit s")
    for model in found.models:
        figures = [shown(model.figures[group][f"{name}@{K}"]) for group in found.users for name in FIGURES]
        made.add_row(model.model, *figures, f"{model.fit_seconds:.1f}")
    asked = ", ".join(f"{count:,} users ({group})" for group, count in found.users.items())
    return [f"Held out: {found.held_out}. Asked: {asked}. In brackets: 95 % intervals over users.", "", made]


def person(story: Story, voice: Voice) -> list[RenderableType]:
    """Returns the profile in words and bars."""
    return [text(words(story.before.profile, voice.name_of))]


def recommendations(moment: Moment, voice: Voice) -> list[RenderableType]:
    """Returns both slates with their reasons in words."""
    return [slate(moment.slate, voice), "", "New to them:", slate(moment.fresh, voice)]


def slate(found: Slate, voice: Voice) -> Table:
    """Returns a slate with the chief reasons of each item."""
    made = _table("", "id", "item", "why", numbers=0)
    for place, entry in enumerate(found.items, 1):
        spoken = voice.spoken(entry, found.now, most=6)[:REASONS]
        why = [str(one) for one in spoken if one is spoken[0] or one.share >= LEAST_SHARE]
        made.add_row(str(place), entry.item, voice.name_of(entry.item), "; ".join(why))
    return made


def change(story: Story, voice: Voice) -> list[RenderableType]:
    """Returns what the two events changed: both slates with arrows, and the interests that moved."""
    bought = " and ".join(voice.name_of(event.item) for event in story.events)
    verb = story.events[0].type if story.events else ""
    return [
        f"{story.user}: {verb} of {bought}.",
        "",
        "Recommended now:",
        moved(story.before.slate, story.after.slate, voice),
        "",
        "New to them now:",
        moved(story.before.fresh, story.after.fresh, voice),
        "",
        *_shifts(story.before, story.after),
    ]


def moved(before: Slate, after: Slate, voice: Voice) -> Table:
    """Returns the later slate: for each item an arrow that says where it was, and its scores."""
    place = {item: at for at, item in enumerate(before.ids)}
    score = {entry.item: f"{entry.score:.3f}" for entry in before.items}
    made = _table("", "", "id", "item", "before", "after", numbers=2)
    for at, entry in enumerate(after.items):
        now, then = f"{entry.score:.3f}", score.get(entry.item, "")
        made.add_row(str(at + 1), arrow(place.get(entry.item), at), entry.item, voice.name_of(entry.item), then, now)
    for item in before.ids:
        if item not in after.ids:
            made.add_row("", "left", item, voice.name_of(item), score[item], "")
    return made


def arrow(before: int | None, after: int) -> str:
    """Returns how an item moved.

    Example:
        >>> arrow(3, 1), arrow(1, 1), arrow(0, 2), arrow(None, 4)
        ('↑ 2', '=', '↓ 2', 'new')
    """
    if before is None:
        return "new"
    steps = before - after
    return f"{'↑' if steps > 0 else '↓'} {abs(steps)}" if steps else "="


def shifts(before: Moment, after: Moment) -> list[tuple[str, str, float, float]]:
    """Returns the interests whose short-term share moved most: kind, label, share before and after.

    Those are compared that are among the first of their kind both times.
    """
    then, now = _shares(before), _shares(after)
    both = [(*key, then[key], share) for key, share in now.items() if key in then]
    clear = [one for one in both if abs(one[3] - one[2]) >= LEAST_SHIFT]
    return sorted(clear, key=lambda one: (-abs(one[3] - one[2]), one[0], one[1]))[:SHOWN_CHANGES]


def seconds(spent: Mapping[str, float]) -> list[RenderableType]:
    """Returns the time by stage."""
    made = _table("stage", "seconds")
    for title, took in spent.items():
        made.add_row(title, f"{took:.1f}")
    made.add_row("all", f"{sum(spent.values()):.1f}")
    return [made]


def _shifts(before: Moment, after: Moment) -> list[RenderableType]:
    made = _table("interest", "", "before", "after", numbers=2)
    for kind, label, then, now in shifts(before, after):
        made.add_row(f"{label} ({kind})", f"{bar(then, 10)} → {bar(now, 10)}", f"{then:.1%}", f"{now:.1%}")
    return ["Interests lately:", made] if made.row_count else ["No interest moved by half a per cent."]


def _shares(moment: Moment) -> dict[tuple[str, str], float]:
    kinds: Mapping[str, tuple[Interest, ...]] = moment.profile.interests.kinds
    return {(kind, interest.label): interest.short for kind, found in kinds.items() for interest in found}


def _table(*columns: str, numbers: int | None = None) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    right = len(columns) - 1 if numbers is None else numbers
    for place, name in enumerate(columns):
        made.add_column(name, justify="right" if place >= len(columns) - right else "left")
    return made
