"""Dead letters on the command line, beside a file that another process may have open."""

from pathlib import Path

import msgspec
import pytest

from mutua.serving.push.outbox import Outbox
from mutua.serving.push.triggers import Trigger


@pytest.fixture
def outbox(shop, tmp_path: Path):  # noqa: ARG001
    """Yields the open outbox of the shop with two dead letters."""
    with Outbox(tmp_path / "mutua.outbox.db") as made:
        for sequence in (1, 2):
            fields = {"kind": "price-fell", "user": "ann", "item": "tea", "time": 0, "detail": {}, "sequence": sequence}
            made.put([(msgspec.convert(fields, Trigger), "")], sequence, now=0)
        for notice in made.waiting(0, 10):
            made.admit(notice, "1970-01-01", cap=5, hooks=["mailer"], now=0)
        for delivery in made.due("mailer", 0, 10):
            made.settle(delivery.id, "dead", 8, 0, "status 500")
        yield made


def test_dead_letters_are_listed_with_why(shop, outbox: Outbox) -> None:
    told = shop("notices", "list", "--json").json
    assert told["outbox"]["dead"] == outbox.counts().dead == 2
    assert [(row["hook"], row["error"], row["attempts"]) for row in told["letters"]] == [
        ("mailer", "status 500", 8)
    ] * 2
    assert told["letters"][0]["body"]["item"] == "tea"
    assert "2 dead, 0 pending" in shop("notices", "list").out


def test_letters_are_sent_again_by_number_or_all(shop, outbox: Outbox) -> None:
    first = outbox.dead()[0].id
    assert shop("notices", "retry", str(first), "--json").json == {"retried": 1}
    assert (outbox.counts().dead, outbox.counts().pending) == (1, 1)
    assert shop("notices", "retry", "--json").json == {"retried": 1}
    assert [delivery.attempts for delivery in outbox.due("mailer", 1 << 60, 10)] == [0, 0]


def test_letters_are_dropped_and_what_is_pending_stays(shop, outbox: Outbox) -> None:
    first, second = (letter.id for letter in outbox.dead())
    shop("notices", "retry", str(first))
    assert shop("notices", "drop", str(first), str(second), "--json").json == {"dropped": 1}
    assert (outbox.counts().dead, outbox.counts().pending) == (0, 1)


def test_a_store_that_never_posted_says_so(shop) -> None:
    refused = shop("notices", "list", "--json")
    assert (refused.status, refused.error["code"]) == (3, "id.unknown")
