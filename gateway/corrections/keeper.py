"""One tenant's corrections on their way: which are kept, and which a request's model is told of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from gateway.config import Corrections
from gateway.corrections.context import INTRODUCTION, message, with_message
from gateway.corrections.memory import Correction, Memory, direction_of
from gateway.events import Feedback
from gateway.request import CHARACTERS_PER_TOKEN, Reading
from gateway.routing import Choice
from gateway.transaction import Record

#: Characters that a correction takes in a request besides its own: its number, and what JSON adds.
MARGIN = 16


class Keeper:
    """``width`` is that of the features' embedding part; ``counts`` tells whether feedback counts at this moment."""

    def __init__(self, *, settings: Corrections, width: int, counts: Callable[[Record], bool]) -> None:
        self.settings = settings
        self._width = width
        self._counts = counts
        self.memory = Memory(most=settings.most)

    def take(self, record: Record, event: Feedback, *, lineage: int) -> None:
        """Fold one outcome in: its source's word takes the place of what it said before of this decision."""
        lesson = event.lesson
        if lesson is None or lesson.lineage != lineage or not self._trusts(record.source or ""):
            return
        direction = direction_of(lesson.features, width=self._width)
        if event.correction and event.correction.strip() and direction is not None:
            self.memory.keep(Correction(record, event.correction.strip(), direction, lesson.private))
        else:
            self.memory.drop(record)

    def forget(self, excluded: Callable[[Record], bool]) -> None:
        """Take out what no longer counts."""
        for record in [each.record for each in self.memory if excluded(each.record)]:
            self.memory.drop(record)

    def _trusts(self, source: str) -> bool:
        """Whether this source's corrections are kept: a key itself, or whoever the configuration names."""
        named = self.settings.sources
        if not named:
            return "/" not in source and ":" not in source
        return any(source.startswith(each) if each.endswith("/") else source == each for each in named)

    def told(self, choice: Choice, reading: Reading, body: bytes) -> tuple[Choice, bytes]:
        """The choice and the body, with the nearest corrections in both; as they are where there are none."""
        decision = choice.decision
        direction = direction_of(decision.features, width=self._width)
        if direction is None or reading.endpoint != "chat":
            return choice, body
        near = self.memory.near(direction, similarity=self.settings.similarity)
        if not decision.private:
            near = [each for each in near if not each.private]
        fitting = self._fitting(near, room=self._room(choice, reading)) if near else []
        if not fitting:
            return choice, body
        decision = msgspec.structs.replace(decision, corrections=tuple(each.record.seq for each in fitting))
        return choice._replace(decision=decision), with_message(body, message([each.text for each in fitting]))

    def _fitting(self, near: Iterable[Correction], *, room: float) -> list[Correction]:
        """As many as may be told and as there is room for, in characters; those that do not count are left out."""
        found: list[Correction] = []
        for each in near:
            takes = len(each.text) + MARGIN
            if takes <= room and self._counts(each.record):
                found.append(each)
                room -= takes
                if len(found) == self.settings.nearest:
                    break
        return found

    def _room(self, choice: Choice, reading: Reading) -> float:
        """Characters that any model which may be asked still has room for, within the tenant's bound."""
        window = min(model.card.context_window for model in (choice.model, *choice.fallbacks()))
        free = (window - reading.tokens) * CHARACTERS_PER_TOKEN - len(INTRODUCTION) - MARGIN
        return min(float(self.settings.characters), free)
