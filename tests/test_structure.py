"""The house rules that a machine can see, over the whole tree, without exceptions."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULE_LINES, FUNCTION_LINES = 300, 60


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


SOURCES = [path for path in tracked() if path.suffix == ".py"]


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_are_short_and_finished(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MODULE_LINES
    for function in functions(ast.parse(text)):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < FUNCTION_LINES, function.name
    unfinished = "|".join(("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error"))
    assert not re.search(rf"\b({unfinished})\b", text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_constructors_take_keywords_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ClassDef) or path.is_relative_to(ROOT / "tests"):
            continue
        if any(isinstance(base, ast.Name) and "Error" in base.id for base in node.bases):
            continue  # an exception's first argument is its message, as everywhere in Python
        for method in functions(node):
            if method.name == "__init__":
                assert len(method.args.args) <= 2, f"{node.name} takes more than one positional argument"


def test_numerics_do_not_import_the_gateway() -> None:
    for path in SOURCES:
        if path.is_relative_to(ROOT / "router_models"):
            assert not re.search(r"^\s*(from|import) gateway\b", path.read_text(encoding="utf-8"), re.MULTILINE), path


def test_only_settings_and_named_secrets_read_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.is_relative_to(ROOT / "gateway")
        and "bench" not in path.parts
        and re.search(r"os\.environ(?!/)|os\.getenv", path.read_text(encoding="utf-8"))
    }
    assert readers <= {"gateway/secrets.py", "gateway/init/command.py", "gateway/providers/library.py"}


def test_every_test_asserts() -> None:
    for path in SOURCES:
        if not path.name.startswith("test_"):
            continue
        source = path.read_text(encoding="utf-8")
        for function in functions(ast.parse(source)):
            if function.name.startswith("test_"):
                body = ast.get_source_segment(source, function) or ""
                assert re.search(r"\bassert|raises|expect|check_", body), f"{path.name}: {function.name}"
        assert not re.search(r"pytest\.(skip|mark\.(skip|xfail))|importor" + "skip", source), path
