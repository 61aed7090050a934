"""A small shop on disk, made once through the command line itself, and a way to run commands in this process."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mutua.cli.main import main

EVENTS = """user,item,type,value,time,device
ann,milk,purchase,2,2026-01-01T08:00:00Z,phone
ann,bread,purchase,1,2026-01-02T08:00:00Z,phone
ann,film-1,rating,5,2026-01-03T08:00:00Z,phone
bob,milk,purchase,1,2026-01-02T09:00:00Z,phone
bob,eggs,purchase,1,2026-01-03T09:00:00Z,phone
bob,film-1,rating,2,2026-01-04T09:00:00Z,phone
cid,eggs,purchase,1,2026-01-04T10:00:00Z,phone
cid,bread,view,,2026-01-05T10:00:00Z,phone
cid,film-2,rating,4,2026-01-06T10:00:00Z,phone
dan,milk,purchase,1,2026-01-05T11:00:00Z,phone
dan,cake,purchase,1,2026-01-06T11:00:00Z,phone
eve,tea,purchase,1,not a time,phone
"""
ITEMS = """item,title,category,price,brand
milk,Whole Milk,dairy,1.2,acme
bread,Rye Bread,bakery,2.5,acme
eggs,Ten Eggs,dairy,3.0,farm
cake,Plum Cake,bakery,9.0,farm
tea,Green Tea,drinks,4.0,acme
film-1,A Film,films,5.0,studio
film-2,Another Film,films,5.0,studio
"""


@dataclass(frozen=True)
class Result:
    """What a command line gave."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def error(self):
        """The error on stderr, as JSON."""
        return json.loads(self.err)


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MUTUA_STORE", "MUTUA_SEED", "MUTUA_MODEL", "MUTUA_BUDGET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def mutua(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Returns what runs a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        capsys.readouterr()
        status = main(arguments)
        return Result(status, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with files and a store that has recorded them and learned."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "events.csv").write_text(EVENTS)
    (folder / "items.csv").write_text(ITEMS)
    url = f"sqlite:///{folder / 'mutua.db'}"
    for line in (["record", str(folder / "items.csv"), str(folder / "events.csv")], ["learn"], ["learn"]):
        assert main(["--json", "--store", url, *line]) == 0
    return folder


@pytest.fixture
def shop(mutua: Run, made: Path, tmp_path: Path) -> Run:
    """Returns what runs a command line in a folder of its own with the shop's files and store."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return mutua
