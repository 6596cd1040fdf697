"""Exact mathematics by sympy, in a worker process that cannot take more time or memory than it may."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.specialists.protocol import Message, Parameters, prompt_of
from gateway.specialists.worker import OutOfBounds, Worker

REFUSAL = "I only do mathematics, and I found nothing to work out here."
TOO_LONG = "That takes me too long to work out."
SECONDS = 2.0


def load() -> Mathematics:
    """Start the worker, and wait until its library is there."""
    worker = Worker(function="gateway.specialists.calculation:reply", seconds=SECONDS)
    worker.call("")
    return Mathematics(worker=worker)


class Mathematics:
    """Answers what its worker understands."""

    parallel = 1

    def __init__(self, *, worker: Worker) -> None:
        self._worker = worker

    def answer(self, messages: Sequence[Message], parameters: Parameters) -> str:
        """The result alone, or a refusal."""
        try:
            return self._worker.call(prompt_of(messages)) or REFUSAL
        except OutOfBounds:
            return TOO_LONG
