"""Which language a piece of code is written in, by Magika's small neural network."""

from __future__ import annotations

import re
from collections.abc import Sequence

import onnxruntime
from magika import Magika, PredictionMode

from gateway.specialists.excerpt import fenced
from gateway.specialists.protocol import Message, Parameters, prompt_of

REFUSAL = "I only tell which programming language a piece of code is written in, and this does not look like code."
MAX_CHARACTERS = 128_000
CODE = "code"

_CUE = re.compile(r"\b(language|code|snippet|program|script|written|file type|identify|detect|syntax)\b", re.IGNORECASE)
_HEAD = re.compile(r"\A([^\n]{1,200}?)(?::[ \t]*\n|:[ \t]+|\?[ \t]+|\n)\s*(\S.*)\Z", re.DOTALL)
_KIND = re.compile(r"\s+(source|script|document|file|data)\b.*\Z", re.IGNORECASE)


class SingleThreaded(Magika):
    """Magika whose runtime keeps to one thread."""

    def _init_onnx_session(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        return onnxruntime.InferenceSession(self._model_path, options, providers=["CPUExecutionProvider"])


def load() -> CodeLanguage:
    """Load the network from its package."""
    return CodeLanguage(network=SingleThreaded(prediction_mode=PredictionMode.BEST_GUESS))


class CodeLanguage:
    """Names a snippet's language; the name is the answer's first word."""

    parallel = 1

    def __init__(self, *, network: Magika) -> None:
        self._network = network

    def answer(self, messages: Sequence[Message], parameters: Parameters) -> str:
        """The language and the network's confidence, or a refusal for what is no code."""
        found = self._network.identify_bytes(snippet(prompt_of(messages, limit=MAX_CHARACTERS)).encode())
        if found.output.group != CODE:
            return REFUSAL
        name = _KIND.sub("", found.output.description).replace("Golang", "Go")
        return f"{name} (confidence {found.score:.0%})"


def snippet(prompt: str) -> str:
    """The code in a prompt: a fenced block, what follows the question about it, or the whole prompt."""
    block = fenced(prompt)
    if block is not None:
        return block
    parts = _HEAD.match(prompt.strip())
    return parts.group(2) if parts and _CUE.search(parts.group(1)) else prompt
