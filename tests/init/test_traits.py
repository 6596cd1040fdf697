"""What a model's name tells."""

from __future__ import annotations

import pytest

from gateway.init.traits import describe, is_embedder, is_unserved


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("qwen2.5-coder:7b", "code"),
        ("codestral-latest", "code"),
        ("sqlcoder-7b", "SQL"),
        ("mathstral", "Mathematics"),
        ("deepseek-r1:8b", "reasoning"),
        ("medgemma-4b", "medicine"),
        ("llama-guard-3-8b", "safe"),
        ("qwen2-vl-7b-instruct", "images"),
        ("nomic-embed-text", "Embeddings"),
        ("llama3.2:3b", "General conversation"),
    ],
)
def test_a_name_gives_a_first_description(name: str, word: str) -> None:
    assert word in describe(name)


def test_a_model_that_sees_is_described_so() -> None:
    assert describe("gemma-3-4b", vision=True) == "Questions about images."


@pytest.mark.parametrize("name", ["text-embedding-3-small", "BAAI/bge-m3", "all-minilm-l6-v2", "mxbai-embed-large"])
def test_embedders_are_known_by_name(name: str) -> None:
    assert is_embedder(name)


@pytest.mark.parametrize("name", ["llama3.2", "gemma-3", "org/e5x"])
def test_other_models_are_no_embedders(name: str) -> None:
    assert not is_embedder(name)


@pytest.mark.parametrize("name", ["whisper-1", "kokoro-tts", "stable-diffusion-xl", "jina-reranker-v2", "flux-dev"])
def test_speech_images_and_reranking_are_not_served(name: str) -> None:
    assert is_unserved(name)


@pytest.mark.parametrize("name", ["llama3.2", "mattstral", "influx-7b"])
def test_chat_models_are_served(name: str) -> None:
    assert not is_unserved(name)
