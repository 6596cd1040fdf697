"""The bounds around mathematics: whatever is asked, the server goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.specialists.mathematics import REFUSAL, TOO_LONG
from gateway.specialists.worker import OutOfBounds, Worker

HOSTILE = [
    "integrate x^x exp(sin(x)) / (x^7 + tan(x)^3)",
    "sin(exp(exp(20)))",
]


@pytest.mark.parametrize("question", HOSTILE)
def test_a_hard_question_is_given_up_and_the_next_one_answered(question: str, ask: Callable[[str, str], str]) -> None:
    assert ask("mathematics", question) == TOO_LONG
    assert ask("mathematics", "1 + 1") == "2"


def test_code_is_no_mathematics(ask: Callable[[str, str], str]) -> None:
    assert ask("mathematics", "__import__('os').system('id')") == REFUSAL


def test_a_worker_is_replaced_when_its_time_is_up() -> None:
    worker = Worker(function="gateway.specialists.calculation:reply", seconds=0.5)
    assert worker.call("6 * 7") == "42"
    with pytest.raises(OutOfBounds):
        worker.call(HOSTILE[0])
    assert worker.call("6 * 7") == "42"
    worker.close()
