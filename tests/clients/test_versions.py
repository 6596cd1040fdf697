"""README.md names the clients that are tested, in the versions that are."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support import packages

README = Path(__file__).parents[2] / "README.md"


def versions() -> dict[str, str]:
    """The version of each client by its name in the README."""
    return {
        "OpenAI SDK for Python": version("openai"),
        "OpenAI SDK for Node": packages.SDKS["openai"],
        "Anthropic SDK for Python": version("anthropic"),
        "LangChain": packages.version(packages.clients(), "langchain-openai"),
        f"`@ai-sdk/openai-compatible` {packages.SDKS['@ai-sdk/openai-compatible']}": packages.SDKS["ai"],
        "`llm`": packages.version(packages.clients(), "llm"),
        "litellm, the library": packages.version(packages.litellm(), "litellm"),
    }


@pytest.mark.parametrize("client", versions())
def test_the_readme_says_which_version_is_tested(client: str) -> None:
    (row,) = [
        line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("|") and client in line
    ]
    assert f"| {versions()[client]} |" in row
