"""The page on the tracker against the tracker: its code runs, and each names what the other has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from page import SHELVES, TRACKER, Page

PAGE = (Path(__file__).parents[3] / "docs" / "tracker.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```js\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_code_of_the_page_runs(block: str) -> None:
    Page(SHELVES, key="mu_key").run(block)


def test_every_function_is_shown() -> None:
    assert set(re.findall(r"\bmutua\.(\w+)\(", "".join(BLOCKS))) == set(Page().read("Object.keys(mutua)"))


def test_every_attribute_is_explained() -> None:
    tag = set(re.findall(r"^\| `data-(\w+)`", PAGE, re.MULTILINE))
    assert tag == set(re.findall(r"\bgiven\.(\w+)", TRACKER))
    marks = {
        "-".join(part.lower() for part in re.split(r"(?=[A-Z])", name))
        for name in re.findall(r"mutua[A-Z]\w+", TRACKER)
    }
    named = set(re.findall(r"data-(mutua-\w+)", TRACKER))
    assert marks | named == set(re.findall(r"data-(mutua-\w+)", PAGE))


def test_every_name_in_the_storage_is_told() -> None:
    kept = set(re.findall(r"(?:get|keep)\(\"(\w+)\"", TRACKER))
    assert kept == set(re.findall(r"`mutua\.(\w+)` ?\(", PAGE)) | {"consent"}
