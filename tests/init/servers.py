"""Real servers on free ports of 127.0.0.1 that answer as model servers do."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a path answers with; ``document`` may be a function of the request's JSON body."""

    document: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def serving(routes: Mapping[str, Any]) -> Iterator[int]:
    """A server of JSON documents (or :class:`Reply`) by path, 404 elsewhere; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def _answer(self, body: Any) -> None:
            route = routes.get(self.path, Reply(status=404, document={"detail": "Not Found"}))
            reply = route if isinstance(route, Reply) else Reply(document=route)
            document = reply.document(body) if callable(reply.document) else reply.document
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(reply.status)
            for name, value in {"content-length": str(len(content)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def raw(converse: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that holds ``converse`` with each connection; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stopped = threading.Event()

        def accept() -> None:
            while not stopped.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    converse(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopped.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def models(*names: Any, **fields: Any) -> dict[str, Any]:
    """An OpenAI list of models."""
    return {"object": "list", "data": [{"id": name, "object": "model", **fields} for name in names]}


def ollama() -> dict[str, Any]:
    """Ollama with a loaded model, one with a window of its own, an untouched one, and an embedder."""
    shown: dict[str, Any] = {
        "qwen2.5-coder:7b": {
            "capabilities": ["completion", "tools"],
            "model_info": {"general.architecture": "qwen2", "qwen2.context_length": 32768},
        },
        "llava:7b": {
            "capabilities": ["completion", "vision"],
            "parameters": 'stop "USER:"\nnum_ctx                        16384',
            "model_info": {"llama.context_length": 32768},
        },
        "tinyllama:latest": {"capabilities": ["completion"], "model_info": {"llama.context_length": 2048}},
        "nomic-embed-text:latest": {
            "capabilities": ["embedding"],
            "model_info": {"nomic-bert.context_length": 2048},
        },
    }
    return {
        "/v1/models": models(*shown, owned_by="library"),
        "/api/version": {"version": "0.12.3"},
        "/api/ps": {"models": [{"name": "qwen2.5-coder:7b", "context_length": 8192}]},
        "/api/show": Reply(document=lambda body: shown[body["model"]]),
    }


def vllm() -> dict[str, Any]:
    """vLLM with a base model and an adapter on it."""
    base = {"id": "Qwen/Qwen3-4B", "object": "model", "owned_by": "vllm", "max_model_len": 40960}
    adapter = {"id": "sql-lora", "object": "model", "owned_by": "vllm", "parent": "Qwen/Qwen3-4B"}
    return {"/v1/models": {"object": "list", "data": [base, adapter | {"max_model_len": None}]}}


def lm_studio() -> dict[str, Any]:
    """LM Studio with a language model, one that sees, and an embedder."""
    entries = [
        {
            "id": "qwen/qwen3-8b",
            "type": "llm",
            "max_context_length": 40960,
            "loaded_context_length": 4096,
            "capabilities": ["tool_use"],
        },
        {"id": "pixtral-12b", "type": "vlm", "max_context_length": 1024000},
        {"id": "text-embedding-granite", "type": "embeddings", "max_context_length": 512},
    ]
    return {
        "/v1/models": models(*(entry["id"] for entry in entries), owned_by="organization_owner"),
        "/api/v0/models": {"object": "list", "data": entries},
    }


def llama_cpp() -> dict[str, Any]:
    """llama.cpp's server, which calls its model by the file's path."""
    listing = models("/models/gemma-3-4b-it-Q4_K_M.gguf", owned_by="llamacpp", meta={"n_ctx_train": 131072})
    return {
        "/v1/models": listing,
        "/props": {
            "default_generation_settings": {"n_ctx": 8192},
            "modalities": {"vision": True, "audio": False},
            "chat_template_caps": {"supports_tools": True},
        },
    }


def text_generation_inference() -> dict[str, Any]:
    """Hugging Face's text-generation-inference."""
    return {
        "/v1/models": models("HuggingFaceTB/SmolLM3-3B", owned_by="HuggingFaceTB/SmolLM3-3B"),
        "/info": {"model_id": "HuggingFaceTB/SmolLM3-3B", "max_total_tokens": 6144},
    }
