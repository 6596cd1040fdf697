"""What is made of the records about a decision."""

from __future__ import annotations

import pytest

from gateway.controls import Controls
from gateway.events import Audited, Event, Exclusion, FeedbackExcluded
from gateway.explain.explanation import Opinion, Outcome, explain
from gateway.transaction import Record
from tests.log import samples

SUBJECT = bytes(range(16))


def record(seq: int, event: Event, source: str | None = None) -> Record:
    return Record(seq, seq, event.kind, samples.TENANT, SUBJECT, source, event)


DECIDED = record(1, samples.decision("a", arms=["a", "b"]))


def outcomes(*told: Record, controls: Controls | None = None, opinion: Opinion | None = None) -> list[Outcome]:
    made = opinion or Opinion()
    return explain([DECIDED, *told], controls=controls or Controls(), opinion=lambda record: made).feedback


def test_what_is_withheld_says_why_and_how_far_its_source_is_believed() -> None:
    told = record(2, samples.feedback("a", 0.0), "key/mallory")
    (outcome,) = outcomes(told, opinion=Opinion(withheld=True, reason="says the opposite", honesty=0.01))
    assert (outcome.status, outcome.reason, outcome.honesty) == ("withheld", "says the opposite", 0.01)
    (outcome,) = outcomes(told, opinion=Opinion(honesty=0.9))
    assert (outcome.status, outcome.reason, outcome.honesty) == ("counted", None, 0.9)


@pytest.mark.parametrize("reason", ["revoked", "rolled_back", "rejected", "erased"])
def test_what_was_excluded_says_how_and_the_word_before_counts(reason: Exclusion) -> None:
    excluded = FeedbackExcluded(first=3, last=3, reason=reason)
    controls = Controls(records=[record(4, excluded)])
    told = [record(2, samples.feedback("a", 1.0), "key"), record(3, samples.feedback("a", 0.0), "key")]
    assert [each.status for each in outcomes(*told)] == ["amended", "counted"]
    assert [each.status for each in outcomes(*told, controls=controls)] == ["counted", reason]


def test_the_last_audit_holds() -> None:
    history = [DECIDED, record(2, Audited(0.0)), record(3, Audited(0.75))]
    assert explain(history, controls=Controls()).audited == 0.75
    assert explain([DECIDED], controls=Controls()).audited is None


def test_without_a_decision_there_is_nothing_to_explain() -> None:
    with pytest.raises(LookupError):
        explain([], controls=Controls())
