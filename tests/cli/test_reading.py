"""Short forms of options."""

import pytest

from mutua.cli import reading
from mutua.errors import ConfigError, UsageError
from mutua.pipeline.spec import Boost, Surface


@pytest.mark.parametrize(
    ("text", "expected"), [("60s", 60.0), ("2 min", 120.0), ("0.5h", 1800.0), ("250ms", 0.25), ("7", 7.0)]
)
def test_durations(text, expected):
    assert reading.seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "s", "1d", "-3s", "1s2"])
def test_durations_that_are_none(text):
    with pytest.raises(UsageError):
        reading.seconds(text)


def test_models_keep_their_settings():
    assert reading.names(["default, item-knn:neighbours=50,shrink=2", "ease"]) == (
        "default",
        "item-knn:neighbours=50,shrink=2",
        "ease",
    )


def test_events_read_numbers_and_keep_texts():
    found = reading.event("item=7,type=rating,value=4.5,session=12", "ann")
    assert (found.user, found.item, found.value, found.session) == ("ann", "7", 4.5, "12")


def test_an_event_of_another_kind_is_refused():
    with pytest.raises(UsageError):
        reading.event("kind=identity-link,other=phone", "ann")


def test_options_are_laid_over_a_surface():
    base = Surface(where=("available",), caps={"brand": 1}, diversity=0.2)
    found = reading.surface(base, where=["price<=5"], caps=["category=2"], pins=["3=tea"], boosts=["a=b*c*1.5"])
    assert found == Surface(
        where=("available", "price<=5"),
        caps={"brand": 1, "category": 2},
        pins={3: "tea"},
        boosts=(Boost("a=b*c", 1.5),),
        diversity=0.2,
    )


def test_a_surface_out_of_range_is_refused():
    with pytest.raises(ConfigError):
        reading.surface(Surface(), caps=["brand=0"])
