"""One answer on its way out: a chat completion as one document, or as the events of a stream."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.specialists.ask import Ask
from gateway.specialists.protocol import Delta, Usage

_encode = msgspec.json.Encoder().encode


class Completion:
    """Collects the deltas of every choice under one id. ``created`` is a Unix time in seconds."""

    def __init__(self, *, ask: Ask, completion_id: str, model: str, created: int) -> None:
        self.ask = ask
        self._common = {"id": completion_id, "created": created, "model": model}
        self._texts: list[list[str]] = [[] for _ in range(ask.choices)]
        self._reasons: list[str] = ["stop"] * ask.choices
        self._usages: list[Usage] = []

    def add(self, choice: int, delta: Delta) -> None:
        """Take in the next piece of answer number ``choice``."""
        self._texts[choice].append(delta.text)
        if delta.finish_reason is not None:
            self._reasons[choice] = delta.finish_reason
        if delta.usage is not None:
            self._usages.append(delta.usage)

    def body(self) -> bytes:
        """The whole completion as JSON."""
        choices = [
            {
                "index": index,
                "message": {"role": "assistant", "content": "".join(texts), "refusal": None},
                "logprobs": None,
                "finish_reason": reason,
            }
            for index, (texts, reason) in enumerate(zip(self._texts, self._reasons, strict=True))
        ]
        return _encode({**self._common, "object": "chat.completion", "choices": choices, "usage": self._usage()})

    def opening(self, choice: int) -> bytes:
        """The event that begins answer number ``choice``."""
        return self._event([_choice(choice, {"role": "assistant", "content": ""}, None)])

    def event(self, choice: int, delta: Delta) -> bytes:
        """The event of one delta."""
        content = {"content": delta.text} if delta.text else {}
        return self._event([_choice(choice, content, delta.finish_reason)])

    def ending(self) -> bytes:
        """What follows the last choice: the usage, where asked for, and the end mark."""
        usage = self._event([], usage=self._usage()) if self.ask.wants_usage else b""
        return usage + b"data: [DONE]\n\n"

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        document = {**self._common, "object": "chat.completion.chunk", "choices": choices, **more}
        return b"data: " + _encode(document) + b"\n\n"

    def _usage(self) -> dict[str, int]:
        read = self._usages[0].prompt_tokens if self._usages else 0
        written = sum(usage.completion_tokens for usage in self._usages)
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _choice(index: int, delta: dict[str, str], reason: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}
