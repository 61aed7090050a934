"""The pages of the docs against the code: what one names, the other has."""

import inspect
import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest
import typer

import mutua
from mutua import errors
from mutua.cli import exits
from mutua.cli.main import COMMANDS
from mutua.cli.options import options as common_options
from mutua.cli.problems import UNEXPECTED
from mutua.config import ENVIRONMENT, LearnSettings, Settings, StoreSettings
from mutua.events.cleaning import RULES, CleaningRules
from mutua.events.types import DEFAULT_TYPES, EventType
from mutua.feedback.experiments import Experiment, Variant
from mutua.lab.document import Data, Document, Result
from mutua.lab.protocols import PROTOCOLS
from mutua.metrics import RANKING
from mutua.models.registry import MODELS, learner_class
from mutua.pipeline.spec import Boost, Surface

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SECTIONS = {
    "Top level": Settings,
    "`[store]`": StoreSettings,
    "`[learn]`": LearnSettings,
    "`[types.NAME]`": EventType,
    "`[surfaces.NAME]`": Surface,
    "`[[surfaces.NAME.boosts]]`": Boost,
    "`[cleaning]`": CleaningRules,
    "`[experiments.NAME]`": Experiment,
    "`[experiments.NAME.variants.NAME]`": Variant,
}
TABLES_OF_THEIR_OWN = {"store", "types", "surfaces", "cleaning", "learn", "experiments"}


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """Returns the text below each heading of the second or third level."""
    parts = re.split(r"^#{2,3} (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def first_cells(text: str) -> list[str]:
    """Returns the words in backticks that begin rows of tables."""
    return re.findall(r"^\| `([^`]+)`", text, flags=re.MULTILINE)


def error_classes() -> dict[str, type[errors.MutuaError]]:
    found = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.MutuaError)]
    by_code = {one.code: one for one in found}
    assert len(by_code) == len(found), "two errors with one code"
    return by_code


def test_every_code_of_an_error_is_explained():
    rows = re.findall(r"^\| `([^`]+)` \| (\d+) \| (.+) \| (.*) \| (.+) \|$", page("errors.md"), flags=re.MULTILINE)
    classes = error_classes()
    assert [code for code, *_ in rows] == [*dict.fromkeys(code for code, *_ in rows)]
    assert {code for code, *_ in rows} == {*classes, UNEXPECTED}
    for code, status, came, _, do in rows:
        expected = classes[code].exit_status if code in classes else exits.INTERNAL
        assert int(status) == expected, code
        assert came.strip(), code
        assert do.strip(), code


def test_every_exit_status_is_in_the_table():
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", page("exit-codes.md"), flags=re.MULTILINE)
    assert {int(status): meaning for status, meaning in rows} == exits.EXITS
    assert {one.exit_status for one in error_classes().values()} <= set(exits.EXITS)


def commands() -> dict[str, object]:
    """Returns every command that can be run, by its words."""
    found = {}
    for name in COMMANDS:
        made = typer.main.get_command(import_module(f"mutua.cli.{name}").app)
        inner = getattr(made, "commands", None)
        found |= {f"{name} {sub}": one for sub, one in inner.items()} if inner else {name: made}
    return found


def test_every_command_and_option_is_in_the_reference():
    written = sections(page("cli.md"))
    shared = set(inspect.signature(common_options).parameters)
    assert list(written) == list(commands())
    for name, made in commands().items():
        own = [param for param in made.params if param.name not in shared]
        options = {spelling for param in own if param.param_type_name == "option" for spelling in param.opts}
        table = "\n".join(line for line in written[name].splitlines() if line.startswith("|"))
        assert set(re.findall(r"`(--?[a-z][a-z-]*)`", "\n".join(re.findall(r"^\| ([^|]+)\|", table, re.M)))) == options
        arguments = {param.name.upper() for param in own if param.param_type_name == "argument"}
        assert {cell.rstrip("…") for cell in first_cells(written[name]) if cell.isupper() or "…" in cell} == arguments


def test_the_options_of_every_command_are_in_the_reference():
    head = page("cli.md").split("\n## ")[0]
    assert set(first_cells(head)) == {f"--{name}" for name in inspect.signature(common_options).parameters} | {"--help"}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_explained(section):
    struct = SECTIONS[section]
    keys = set(struct.__struct_fields__) - (TABLES_OF_THEIR_OWN if struct is Settings else set())
    assert set(first_cells(sections(page("configuration.md"))[section])) == keys


def test_the_variables_of_the_environment_are_explained():
    assert {name for name in ENVIRONMENT if f"`{name}`" in page("configuration.md")} == set(ENVIRONMENT)


def test_the_example_of_the_settings_is_one(tmp_path):
    [example] = re.findall(r"```toml\n(.*?)```", page("configuration.md"), flags=re.DOTALL)
    (tmp_path / "mutua.toml").write_text(example)
    loaded = mutua.load(file=tmp_path / "mutua.toml", environment={})
    assert loaded.settings.surface("home").boosts[0].factor == 1.5


def test_every_rule_of_cleaning_and_type_is_explained():
    text = page("recording.md")
    assert set(first_cells(sections(text)["Cleaning"])) == set(RULES)
    assert {name for name in DEFAULT_TYPES if f"`{name}`" in sections(text)["Types"]} == set(DEFAULT_TYPES)


def test_every_model_and_setting_is_explained():
    written = sections(page("models.md"))
    assert list(written) == list(MODELS)
    assert first_cells(page("models.md").split("\n## ")[0]) == list(MODELS)
    for name, text in written.items():
        kind = learner_class(name)
        assert {field.name for field in fields(kind) if f"`{field.name}`" in text} == {f.name for f in fields(kind)}


def test_the_table_of_models_says_which_are_linear():
    rows = re.findall(r"^\| `([^`]+)` \| (yes|no) \|", page("models.md"), flags=re.MULTILINE)
    assert {name: word == "yes" for name, word in rows} == {name: learner_class(name).model.linear for name in MODELS}


def test_protocols_metrics_and_the_document_are_explained():
    text = page("evaluation.md")
    written = sections(text)
    assert set(first_cells(written["Protocols"])) == set(PROTOCOLS)
    named = {
        name for row in re.findall(r"^\| (`[^|]+) \|", written["Metrics"], re.M) for name in re.findall(r"`(\w+)`", row)
    }
    assert named >= {
        *RANKING,
        "accuracy",
        "auc",
        "mae",
        "mse",
        "rmse",
        "coverage",
        "gini",
        "novelty",
        "diversity",
        "calibration",
    }
    for struct in (Document, Data, Result):
        for field in struct.__struct_fields__:
            assert f'"{field}"' in written["The document"], field


def test_the_public_names_are_few_and_there():
    assert len(mutua.__all__) <= 40
    for name in mutua.__all__:
        assert getattr(mutua, name) is not None
    with pytest.raises(AttributeError):
        _ = mutua.nothing_of_this_name
    assert set(mutua.__all__) <= set(dir(mutua))


def test_the_changelog_knows_this_version():
    assert f"## [{mutua.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def command_lines() -> list[str]:
    """Returns the lines in the docs, inside of code, that call the command."""
    pages = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
    blocks = [
        block for one in pages for block in re.findall(r"```\n(.*?)```", one.read_text(encoding="utf-8"), re.DOTALL)
    ]
    return [line for block in blocks for line in block.splitlines() if line.startswith("mutua ")]


@pytest.mark.parametrize("line", command_lines())
def test_command_lines_in_the_docs_name_commands_and_options_that_exist(line):
    words = line.split()[1:]
    known = commands()
    made = known.get(" ".join(words[:2])) or known[words[0]]
    options = {spelling for param in made.params for spelling in getattr(param, "opts", ())}
    assert {word for word in words if word.startswith("-")} <= options
