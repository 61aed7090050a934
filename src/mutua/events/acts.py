"""What a commit says of users and items, in inner ids and by columns: read once for all that follows the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mutua.core.ids import Vocabulary
from mutua.events.kinds import Interaction
from mutua.events.types import Types

NAN = float("nan")


@dataclass(frozen=True)
class Acts:
    """Recorded interactions in log order, one place of each list for each.

    Args:
        users, items, types: inner indices; values: NaN where none; times: microseconds UTC; sequences: in the log.
        wanted: whether each is of a type that recommending foresees.
    """

    users: Sequence[int]
    items: Sequence[int]
    types: Sequence[int]
    values: Sequence[float]
    times: Sequence[int]
    sequences: Sequence[int]
    wanted: Sequence[bool]

    @classmethod
    def of(
        cls,
        events: Sequence[Interaction],
        sequences: Sequence[int],
        recorded: int,
        users: Vocabulary,
        items: Vocabulary,
        types: Types,
    ) -> Acts:
        """Returns events as columns; those whose user or item was forgotten since are left out.

        Args:
            recorded: when, microseconds UTC; the time of events that have none.

        Cost: about half a microsecond an event.
        """
        who = users.found([event.user for event in events])
        what = items.found([event.item for event in events])
        if None in who or None in what:
            known = [place for place, pair in enumerate(zip(who, what, strict=True)) if None not in pair]
            left, placed = [events[place] for place in known], [sequences[place] for place in known]
            return cls.of(left, placed, recorded, users, items, types)
        kind = {name: types.index(name) for name in {event.type for event in events}}
        targets = types.targets()
        wanted = {name for name, index in kind.items() if targets[index]}
        return cls(
            who,  # type: ignore[arg-type]
            what,  # type: ignore[arg-type]
            [kind[event.type] for event in events],
            [NAN if event.value is None else event.value for event in events],
            [recorded if event.time is None else event.time for event in events],
            sequences,
            [event.type in wanted for event in events],
        )
