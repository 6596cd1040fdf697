"""Other clients that people use, unmodified: LangChain, the Vercel AI SDK, ``llm``, and litellm as a library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import packages
from tests.support.gateway import KEY, Gateway

HERE = Path(__file__).parent


def python(folder: Path, *arguments: str | Path, **environment: str) -> str:
    """What a Python program prints that has the packages in ``folder`` before all others."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def conversed(folder: Path, script: str, gateway: Gateway, **environment: str) -> Any:
    shown = python(folder, HERE / "python" / script, f"{gateway.url}/v1", KEY, **environment)
    return json.loads(shown.splitlines()[-1])


def test_langchain(healthy: Gateway) -> None:
    shown = conversed(packages.clients(), "converse_langchain.py", healthy)
    text, tokens = shown["plain"]
    assert text.startswith("Hello from ")
    assert tokens == 15
    assert shown["stream"] == shown["asynchronously"] == shown["responses"] == "Hello from chat."
    assert shown["structured"] == 42
    assert shown["agent"] == [{"city": "Paris"}, "Sunny in Paris", "Hello from code."]
    assert shown["batch"] == ["Hello from chat."] * 2
    assert shown["embeddings"] == 16
    assert shown["failure"] == "OpenAIModelNotFoundError"


def test_the_vercel_ai_sdk(healthy: Gateway) -> None:
    script = HERE / "node" / "aisdk.mjs"
    shown = json.loads(packages.script(script, str(packages.sdks()), f"{healthy.url}/v1", KEY))
    assert shown == {
        "plain": {"text": f"Hello from {shown['plain']['model']}.", "tokens": 15, "model": shown["plain"]["model"]},
        "stream": "Hello from chat.",
        "tools": {"input": {"city": "Paris"}, "output": "Sunny in Paris", "text": "Hello from code."},
        "streamedTools": {"city": "Paris"},
        "structured": {"answer": 42},
        "embeddings": [16, 16],
        "failure": {"name": "AI_APICallError", "status": 404},
    }


def test_the_litellm_library(healthy: Gateway) -> None:
    offline = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    shown = conversed(packages.litellm(), "converse_litellm.py", healthy, **offline)
    assert shown["plain"].startswith("Hello from ")
    assert shown["as a proxy"] == shown["asynchronously"] == shown["stream"] == "Hello from chat."
    assert shown["tools"] == ["weather", '{"city": "Paris"}']
    assert shown["embeddings"] == 16
    assert shown["failure"] == "NotFoundError"


@pytest.fixture
def home(healthy: Gateway, tmp_path: Path) -> Path:
    """The folder in which ``llm`` keeps what it knows: models, and keys."""
    known = [
        {
            "model_id": name,
            "model_name": name,
            "api_base": f"{healthy.url}/v1",
            "api_key_name": "polyculture",
            "supports_tools": True,
            "supports_schema": True,
        }
        for name in ("auto", "chat", "code")
    ]
    (tmp_path / "extra-openai-models.yaml").write_text(yaml.safe_dump(known), encoding="utf-8")
    (tmp_path / "keys.json").write_text(json.dumps({"polyculture": KEY}), encoding="utf-8")
    return tmp_path


def llm(home: Path, *arguments: str) -> str:
    """What the command prints; plugins of this environment are none of its business."""
    quiet = {"LLM_USER_PATH": str(home), "LLM_LOAD_PLUGINS": ""}
    return python(packages.clients(), "-m", "llm", "prompt", "--no-log", *arguments, **quiet).strip()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "chat", "--no-stream", "Hello"], "Hello from chat."),
        (["--model", "chat", "Hello"], "Hello from chat."),
        (["--model", "auto", "--no-stream", "--schema", "answer int", "6 * 7?"], '{"answer": 42}'),
        (
            ["--model", "code", "--functions", "def weather(city: str) -> str:\n    return city", "Weather?"],
            "Hello from code.",
        ),
    ],
    ids=["plain", "stream", "schema", "tools"],
)
def test_llm(home: Path, arguments: Sequence[str], said: str) -> None:
    assert llm(home, *arguments) == said
