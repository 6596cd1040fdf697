"""Answering together what is asked in one turn of the event loop: under load, numpy's calls are shared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

#: Questions answered in one call: more would only outgrow the processor's caches.
MOST = 16


class Batch(Generic[Question, Answer]):
    """``answer`` takes questions and gives as many answers, in order; it never sees an empty batch."""

    def __init__(self, *, answer: Callable[[Sequence[Question]], Sequence[Answer]]) -> None:
        self._answer = answer
        self._asked: list[tuple[Question, asyncio.Future[Answer]]] = []

    def ask(self, question: Question) -> asyncio.Future[Answer]:
        """The answer, in the loop's next turn."""
        loop = asyncio.get_running_loop()
        if not self._asked:
            loop.call_soon(self._turn)
        future: asyncio.Future[Answer] = loop.create_future()
        self._asked.append((question, future))
        return future

    def _turn(self) -> None:
        asked, self._asked = self._asked, []
        for start in range(0, len(asked), MOST):
            self._settle(asked[start : start + MOST])

    def _settle(self, asked: Sequence[tuple[Question, asyncio.Future[Answer]]]) -> None:
        """Answer, or hand on what answering raises; a faulty question does not harm the others."""
        asked = [each for each in asked if not each[1].done()]
        if not asked:
            return
        try:
            answered = list(zip(asked, self._answer([question for question, _ in asked]), strict=True))
        except Exception as error:
            if len(asked) == 1:
                asked[0][1].set_exception(error)
            else:
                for each in asked:
                    self._settle([each])
            return
        for (_, future), answer in answered:
            future.set_result(answer)
