"""Detection of servers on this machine, each kind a real server on a free port."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import ModelCard
from gateway.init.local import USUAL_PORTS, find
from gateway.init.source import Source

from . import servers


def look(*ports: int, patience_s: float = 5.0) -> list[Source]:
    return asyncio.run(find(ports, patience_s=patience_s))


def cards(source: Source) -> dict[str, ModelCard]:
    return {item.card.id: item.card for item in source.found}


def test_usual_ports_are_those_of_the_servers_that_people_run() -> None:
    assert {11434, 8000, 1234, 8080} <= set(USUAL_PORTS)


def test_ollama_tells_windows_and_capabilities() -> None:
    with servers.serving(servers.ollama()) as port:
        (source,) = look(port)
    found = cards(source)
    assert source.title == f"Ollama on 127.0.0.1:{port}"
    windows = {name: card.context_window for name, card in found.items()}
    assert windows == {
        "qwen2.5-coder:7b": 8192,
        "llava:7b": 16384,
        "tinyllama:latest": 2048,
        "nomic-embed-text:latest": 2048,
    }
    coder = found["qwen2.5-coder:7b"]
    assert str(coder.upstream.base_url) == f"http://127.0.0.1:{port}/v1"
    assert coder.upstream.model == "qwen2.5-coder:7b"
    assert coder.tools
    assert coder.json_mode
    assert "code" in coder.description
    assert found["llava:7b"].modalities == {"text", "image"}
    assert not found["tinyllama:latest"].tools
    embedder = found["nomic-embed-text:latest"]
    assert embedder.endpoint == "embeddings"
    assert not embedder.json_mode
    notes = {item.card.id: item.notes for item in source.found}
    assert "8192 of the 32768 tokens" in notes["qwen2.5-coder:7b"][0]
    assert notes["tinyllama:latest"] == ()


def test_vllm_tells_the_window_and_an_adapter_has_its_parents() -> None:
    with servers.serving(servers.vllm()) as port:
        (source,) = look(port)
    assert source.title.startswith("vLLM on ")
    assert {name: card.context_window for name, card in cards(source).items()} == {
        "Qwen/Qwen3-4B": 40960,
        "sql-lora": 40960,
    }
    assert "SQL" in cards(source)["sql-lora"].description


def test_lm_studio_tells_kinds_and_loaded_windows() -> None:
    with servers.serving(servers.lm_studio()) as port:
        (source,) = look(port)
    found = cards(source)
    assert source.title.startswith("LM Studio on ")
    assert found["qwen/qwen3-8b"].context_window == 4096
    assert found["qwen/qwen3-8b"].tools
    assert not found["qwen/qwen3-8b"].json_mode
    assert found["pixtral-12b"].modalities == {"text", "image"}
    assert found["text-embedding-granite"].endpoint == "embeddings"


def test_llama_cpp_is_named_after_its_file() -> None:
    with servers.serving(servers.llama_cpp()) as port:
        (source,) = look(port)
    (card,) = cards(source).values()
    assert source.title.startswith("llama.cpp on ")
    assert card.id == "gemma-3-4b-it-Q4_K_M"
    assert card.upstream.model == "/models/gemma-3-4b-it-Q4_K_M.gguf"
    assert card.context_window == 8192
    assert card.tools
    assert card.modalities == {"text", "image"}


def test_text_generation_inference() -> None:
    with servers.serving(servers.text_generation_inference()) as port:
        (source,) = look(port)
    assert source.title.startswith("text-generation-inference on ")
    assert cards(source)["HuggingFaceTB/SmolLM3-3B"].context_window == 6144


def test_an_unknown_server_is_taken_by_its_list_alone() -> None:
    listing = servers.models("phi-4-mini", context_length=16384, owned_by=["someone"])
    with servers.serving({"/v1/models": listing}) as port:
        (source,) = look(port)
    assert source.title.startswith("An OpenAI-compatible server on ")
    assert cards(source)["phi-4-mini"].context_window == 16384


def test_models_that_neither_chat_nor_embed_are_named_and_left_out() -> None:
    listing = servers.models("whisper-large-v3", "bge-reranker-v2", "granite-3-8b")
    with servers.serving({"/v1/models": listing}) as port:
        (source,) = look(port)
    assert set(cards(source)) == {"granite-3-8b"}
    assert [item.name for item in source.left_out] == ["whisper-large-v3", "bge-reranker-v2"]


HEALTHY = {"status": "ok", "service": "polyculture", "version": "0.1.0"}


def test_another_polyculture_is_recognised_by_its_health_and_left_alone() -> None:
    with servers.serving({"/v1/models": servers.models("auto"), "/healthz": HEALTHY}) as port:
        (source,) = look(port)
    assert source.title.startswith("Polyculture on ")
    assert source.found == ()
    assert "left alone" in source.notes[0]


def test_another_polyculture_is_recognised_by_its_headers() -> None:
    listing = servers.Reply(document=servers.models("auto"), headers={"X-Polyculture-Overhead-Ms": "1"})
    with servers.serving({"/v1/models": listing, "/healthz": {"status": "ok"}}) as port:
        (source,) = look(port)
    assert source.title.startswith("Polyculture on ")


def test_a_gateway_that_asks_for_its_key_is_recognised_too() -> None:
    refusal = servers.Reply(status=401, document={"error": {"message": "no key"}})
    with servers.serving({"/v1/models": refusal, "/healthz": HEALTHY}) as port:
        (source,) = look(port)
    assert source.title.startswith("Polyculture on ")


def test_a_server_that_wants_a_key_is_told_about() -> None:
    refusal = servers.Reply(status=401, document={"error": "Unauthorized"})
    with servers.serving({"/v1/models": refusal}) as port:
        (source,) = look(port)
    assert source.found == ()
    assert "wants a key" in source.notes[0]


@pytest.mark.parametrize(
    "answer",
    [
        servers.Reply(document=b"<!doctype html><title>my site</title>"),
        servers.Reply(document=b"[" * 100_000),
        servers.Reply(document=["not", "a", "list", "of", "models"]),
        servers.Reply(document={"object": "list", "data": []}),
        servers.Reply(document=b" " * (9 * 2**20)),
        servers.Reply(document={"object": "list", "data": [{"id": "m"}]}, status=500),
        servers.Reply(document=b"", status=401),
        servers.Reply(document=b"no gzip at all", headers={"content-encoding": "gzip"}),
    ],
    ids=["html", "nested", "array", "empty", "huge", "error", "other-login", "encoding"],
)
def test_servers_of_other_kinds_are_passed_over(answer: servers.Reply) -> None:
    with servers.serving({"/v1/models": answer}) as port:
        assert look(port) == []


def test_a_port_where_nothing_listens_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert look(port) == []


def test_something_that_speaks_no_http_is_passed_over() -> None:
    with servers.raw(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")) as port:
        assert look(port) == []


def test_a_server_that_never_ends_its_answer_does_not_hold_the_search_up() -> None:
    released = threading.Event()

    def trickle(connection: socket.socket) -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            while not released.wait(0.02):
                connection.sendall(b" ")
        except OSError:
            return

    with servers.raw(trickle) as port, servers.serving(servers.vllm()) as other:
        started = time.monotonic()
        sources = look(port, other, patience_s=0.4)
        assert time.monotonic() - started < 10
        released.set()
    assert [source.title for source in sources] == [f"vLLM on 127.0.0.1:{other}"]


def test_several_servers_are_asked_and_kept_in_the_order_of_their_ports() -> None:
    with servers.serving(servers.ollama()) as first, servers.serving(servers.lm_studio()) as second:
        titles = [source.title.split(" on ")[0] for source in look(second, first)]
    assert titles == ["LM Studio", "Ollama"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "data", "models", "version", "owned_by", "meta", "parent", "capabilities"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
PATHS = ("/api/version", "/api/ps", "/api/show", "/api/v0/models", "/props", "/info")


@settings(max_examples=40, deadline=None)
@given(names=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3), answers=st.tuples(*[JSON] * 6))
def test_no_answer_can_break_the_search(names: list[str], answers: tuple[Any, ...]) -> None:
    routes: dict[str, Any] = dict(zip(PATHS, answers, strict=True))
    entries = [{"id": name, "meta": answers[0], "owned_by": answers[1]} for name in names]
    with servers.serving({"/v1/models": {"data": entries}, **routes}) as port:
        (source,) = look(port)
    seen = [item.card.upstream.model for item in source.found] + [item.name for item in source.left_out]
    assert len(seen) == len(set(names))
    assert json.dumps(seen)
