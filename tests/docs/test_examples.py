"""Code in the docs and in docstrings runs; links lead somewhere."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import mutua

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{place}")
    for page in PAGES
    for place, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]
MODULES = [
    module.name for module in pkgutil.walk_packages(mutua.__path__, "mutua.") if not module.name.endswith(".__main__")
]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("MUTUA_STORE", "MUTUA_SEED", "MUTUA_MODEL", "MUTUA_BUDGET"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("block", BLOCKS)
def test_code_of_the_docs_runs(block):
    exec(compile(block, "<docs>", "exec"), {"__name__": "docs"})


def test_there_is_code_in_the_docs():
    assert len(BLOCKS) >= 6


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_run(name):
    found = doctest.testmod(importlib.import_module(name), verbose=False)
    assert found.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(linked), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    """Returns the anchors that the headings of a page have."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_can_be_reached_from_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    seen, waiting = set(), list(re.findall(r"\]\((docs/[\w-]+\.md)", readme))
    while waiting:
        path = ROOT / waiting.pop()
        if path not in seen and path.exists():
            seen.add(path)
            waiting += [f"docs/{name}" for name in re.findall(r"\]\(([\w-]+\.md)", path.read_text(encoding="utf-8"))]
    assert {path.name for path in seen} == {path.name for path in (ROOT / "docs").glob("*.md")}
