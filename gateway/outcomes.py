"""Implicit outcomes: what an answer's form alone says of its quality, with a source and a weight of their own."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.relay import Option, Spoken
from gateway.request import Reading

#: How much an implicit outcome counts against a person's judgement (1).
WEIGHT = 0.3

#: Longest text that is collected from a stream to be checked, in characters.
CHECKED = 200_000


class Witness:
    """Watches one answer go by, whole or in pieces, and tells afterwards what was wrong with it.

    ``characters`` is how much was said, words and arguments.
    """

    def __init__(self, *, reading: Reading, latency_objective_s: float | None = None) -> None:
        self._reading = reading
        self._objective_s = latency_objective_s
        self._spoke = False
        self._finish: str | None = None
        self._texts: dict[int, list[str]] = {}
        self._arguments: dict[tuple[int, int], list[str]] = {}
        self._size = 0
        self.characters = 0

    @property
    def finished(self) -> bool:
        """Whether the model said why it stopped."""
        return self._finish is not None

    def see(self, options: Sequence[Option] | None) -> None:
        """Take in an answer's choices, or one event's."""
        for place, option in enumerate(options or ()):
            if option.finish_reason is not None:
                self._finish = option.finish_reason
            said = option.message or option.delta
            if said is not None:
                self._hear(said, place if option.index is None else option.index)

    def _hear(self, said: Spoken, choice: int) -> None:
        if said.content or said.refusal:
            self._spoke = True
            self.characters += len(said.content or said.refusal or ())
            if self._reading.json_mode and isinstance(said.content, str):
                self._collect(self._texts.setdefault(choice, []), said.content)
        for number, call in enumerate(said.tool_calls or ()):
            self._spoke = True
            number = number if call.index is None else call.index
            arguments = call.function.arguments if call.function is not None else None
            if arguments and isinstance(arguments, str):
                self.characters += len(arguments)
                self._collect(self._arguments.setdefault((choice, number), []), arguments)

    def _collect(self, pieces: list[str], piece: str) -> None:
        if self._size <= CHECKED:
            pieces.append(piece)
            self._size += len(piece)

    def verdict(self, *, failed: bool, latency_s: float) -> str | None:
        """The first fault found, as the name of an implicit outcome; ``None`` when there is none."""
        if failed:
            return "error"
        if self._reading.endpoint != "chat":
            return None
        if not self._spoke:
            return "empty"
        if self._finish == "length" and not self._reading.bounded:
            return "truncated"
        if self._size <= CHECKED:
            if any(not _is_json("".join(text)) for text in self._texts.values()):
                return "broken_json"
            if any(not _is_json("".join(a)) for a in self._arguments.values()):
                return "invalid_tool_call"
        if self._objective_s is not None and latency_s > self._objective_s:
            return "slow"
        return None


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return False
    return True
