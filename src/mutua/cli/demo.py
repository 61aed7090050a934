"""`mutua demo`: the main job on a real shop's data, or on a file of yours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from mutua.cli import learn, record
from mutua.cli.call import LOG, Call, single
from mutua.core.clock import format_time
from mutua.demo import telling
from mutua.demo.journey import Source, sources
from mutua.demo.story import Moment, Story, tell
from mutua.errors import UsageError
from mutua.lab.document import environment
from mutua.recommender import Recommender
from mutua.voice import Voice


def demo(
    call: Call,
    data: Annotated[Path | None, typer.Option(help="A file of yours instead of the shop's.")] = None,
    mapping: Annotated[str, typer.Option("--map", help="The columns of --data; guessed if left out.")] = "",
    users: Annotated[
        int | None, typer.Option(min=2, help="Households of the shop's data to keep; default all.")
    ] = None,
) -> None:
    """Record a shop's year, compare models, and watch one household's recommendations change."""
    if data is not None and users is not None:
        raise UsageError("--users with --data", "one of both", "cut your file yourself")
    if mapping and data is None:
        raise UsageError("--map without --data", "both", "name your file with --data")
    with TemporaryDirectory(prefix="mutua-demo-") as folder:
        files = (Source(data, mapping),) if data is not None else sources(Path(folder), users)
        url = call.url if call.common.store else f"sqlite:///{Path(folder).absolute()}/demo.db"
        moment = call.now or LOG
        with Recommender.open(url, tenant="", settings=call.settings, now=moment, write=True) as shop:
            _told(call, shop, files)


def _told(call: Call, shop: Recommender, files: Sequence[Source]) -> None:
    screen = call.screen
    story = tell(shop, files, call.settings.seed, screen.stage)
    voice = Voice.of(shop, story.user)
    if screen.as_json:
        screen.answer(as_json(story, voice, screen.seconds))
        return
    chapters: tuple[tuple[str, Sequence[RenderableType]], ...] = (
        ("What was recorded", [record.told(path, one) for path, one in story.recorded.items()]),
        ("Which model foresees best", telling.comparison(story.comparison, story.skipped)),
        ("What serves now", [learn.told(story.learned)]),
        ("One profile", telling.person(story, voice)),
        ("What is recommended, and why", telling.recommendations(story.before, voice)),
        ("Two more events", telling.change(story, voice)),
        ("Time by stage", telling.seconds(screen.seconds)),
    )
    for title, parts in chapters:
        screen.show("", f"── {title} " + "─" * (70 - len(title)), *parts)


def as_json(story: Story, voice: Voice, seconds: dict[str, float]) -> dict[str, Any]:
    """Returns the story as JSON values."""
    shifts = [
        {"kind": kind, "label": label, "before": before, "after": after}
        for kind, label, before, after in telling.shifts(story.before, story.after)
    ]
    return {
        "recorded": {path: record.as_json(one) for path, one in story.recorded.items()},
        "comparison": story.comparison,
        "skipped": story.skipped,
        "learned": learn.as_json(story.learned),
        "user": story.user,
        "before": _moment(story.before, voice),
        "events": [
            {"user": event.user, "item": event.item, "type": event.type, "time": format_time(event.time or 0)}
            for event in story.events
        ],
        "after": _moment(story.after, voice),
        "interests_moved": shifts,
        "seconds": seconds,
        "environment": environment(),
    }


def _moment(moment: Moment, voice: Voice) -> dict[str, Any]:
    return {
        "profile": moment.profile.as_dict(),
        "recommended": voice.slate(moment.slate),
        "new_items": voice.slate(moment.fresh),
    }


app = single(demo)
