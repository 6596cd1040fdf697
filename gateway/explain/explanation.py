"""What the log says of one decision, as a document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from gateway.controls import Controls
from gateway.events import Answer, Audited, Decision, Exclusion, Feedback, Reason
from gateway.exchange import COMPLETION_PREFIX
from gateway.fold import Fold
from gateway.hindsight import IMPLICIT
from gateway.leaving import told
from gateway.transaction import Record
from router_models.drawing import drawn

Status = Literal["counted", "amended", "kept", "withheld"] | Exclusion


class Opinion(NamedTuple):
    """What the live fold makes of an outcome: whether it is withheld, and why; how far its source is believed."""

    withheld: bool = False
    reason: str | None = None
    honesty: float | None = None

    @classmethod
    def of(cls, fold: Fold, record: Record) -> Opinion:
        """What this fold makes of it."""
        own, source = fold.states.get(record.tenant), record.source or ""
        if own is None:
            return cls()
        honesty = own.trust.honesty(source) if fold.judges.doubts(source) else None
        return cls(fold.withholds(record), own.quarantine.reasons.get(record.seq), honesty)


class Candidate(msgspec.Struct):
    """A model that could answer; ``score`` is its mean utility, where it was known and within the budget."""

    model: str
    probability: float
    score: float | None


class Answered(msgspec.Struct):
    """How the request ended; ``failed`` are the models that failed before ``model`` was asked."""

    model: str
    fallback: bool
    failed: list[str]
    status: int
    latency_s: float
    first_byte_s: float | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int
    cost_usd: float | None


class Conversation(msgspec.Struct):
    """The model that had answered the conversation before, what became of it, and what leaving it was priced at.

    It had read ``prefix_tokens`` of the prompt, which made its answer ``saving_usd`` cheaper; ``switch_cost`` is what
    every other model's score was lowered by.
    """

    holder: str
    outcome: str
    prefix_tokens: int
    saving_usd: float
    switch_cost: float


class Outcome(msgspec.Struct):
    """An outcome that was told, by ``source``.

    ``status``: it counts; was amended by a later one; is kept without teaching anything, as what is said of a model
    that the client named; is withheld, for a ``reason`` where its source is not believed; or was revoked, rolled
    back, rejected or erased. ``honesty`` is how far the source is believed by now, where that is known.
    """

    position: int
    at: datetime
    source: str
    implicit: bool
    status: Status
    reason: str | None
    honesty: float | None
    reward: float
    weight: float
    metric: str | None
    value: float | None
    comment: str | None
    correction: str | None


class Recomputed(msgspec.Struct):
    """The probabilities computed anew from the log up to ``position``; ``exact`` where no bit differs."""

    position: int
    exact: bool
    largest_difference: float | None
    note: str = ""


class Replay(msgspec.Struct):
    """The draw made again: ``ok`` where the logged number and probabilities give the model that was chosen."""

    ok: bool
    model: str
    version: Recomputed | None = None


class Explanation(msgspec.Struct):
    """One decision, whole. ``corrections`` are the places in the log of those that the model was told; ``audited`` is
    what an admin judged the answer to be worth.
    """

    decision_id: str
    completion_id: str
    at: datetime
    tenant: str
    key: str
    endpoint: str
    preference: str
    chosen: str
    reason: Reason
    propensity: float
    draw: float
    group: str
    assignment: float
    router_version: str
    lineage: int
    candidates: list[Candidate]
    excluded: dict[str, str]
    conversation: Conversation | None
    corrections: list[int]
    answer: Answered | None
    feedback: list[Outcome]
    audited: float | None
    replay: Replay


def explain(
    history: Sequence[Record], *, controls: Controls, opinion: Callable[[Record], Opinion] = lambda record: Opinion()
) -> Explanation:
    """The explanation of the one decision that ``history`` is about, oldest record first. Raises ``LookupError``.

    ``opinion`` is what the live fold makes of feedback.
    """
    record, decision = decided(history)
    assert record.subject is not None
    return Explanation(
        decision_id=record.subject.hex(),
        completion_id=f"{COMPLETION_PREFIX}{record.subject.hex()}",
        at=_time(record),
        tenant=record.tenant,
        key=decision.key,
        endpoint=decision.endpoint,
        preference=decision.preference,
        chosen=decision.chosen,
        reason=decision.reason,
        propensity=decision.propensity(),
        draw=decision.draw,
        group=decision.group,
        assignment=decision.assignment,
        router_version=decision.version,
        lineage=decision.lineage,
        candidates=_candidates(decision),
        excluded=decision.excluded,
        conversation=_conversation(decision),
        corrections=list(decision.corrections),
        answer=next((_answered(each.event, decision) for each in history if isinstance(each.event, Answer)), None),
        feedback=_outcomes(history, controls, opinion),
        audited=next((each.event.reward for each in reversed(history) if isinstance(each.event, Audited)), None),
        replay=_replay(decision),
    )


def decided(history: Sequence[Record]) -> tuple[Record, Decision]:
    """The decision among the records about it. Raises ``LookupError`` where there is none."""
    for record in history:
        if isinstance(record.event, Decision):
            return record, record.event
    raise LookupError("there is no such decision")


def _candidates(decision: Decision) -> list[Candidate]:
    probabilities = np.frombuffer(decision.probabilities, "<f8").tolist()
    scores = np.frombuffer(decision.scores, "<f4").tolist() or [np.nan] * len(probabilities)
    return [
        Candidate(model, probability, None if np.isnan(score) else score)
        for model, probability, score in zip(decision.arms, probabilities, scores, strict=True)
    ]


def _conversation(decision: Decision) -> Conversation | None:
    if not decision.holder:
        return None
    return Conversation(
        holder=decision.holder,
        outcome=told(decision),
        prefix_tokens=decision.prefix,
        saving_usd=decision.saving,
        switch_cost=decision.switch_cost,
    )


def _replay(decision: Decision) -> Replay:
    model = decision.arms[drawn(np.frombuffer(decision.probabilities, "<f8"), decision.draw)]
    return Replay(ok=model == decision.chosen, model=model)


def _answered(answer: Answer, decision: Decision) -> Answered:
    return Answered(
        model=answer.answered,
        fallback=answer.answered != decision.chosen,
        failed=answer.failed,
        status=answer.status,
        latency_s=answer.latency,
        first_byte_s=answer.first_byte,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        cached_tokens=answer.cached_tokens,
        cost_usd=answer.cost,
    )


def _outcomes(history: Sequence[Record], controls: Controls, opinion: Callable[[Record], Opinion]) -> list[Outcome]:
    told = [(each, each.event, controls.excluding(each)) for each in history if isinstance(each.event, Feedback)]
    latest = {record.source: record.seq for record, _, excluded in told if excluded is None}
    found = []
    for record, event, excluded in told:
        status: Status = "counted" if event.lesson is not None else "kept"
        held = opinion(record)
        if excluded is not None:
            status = excluded.reason
        elif latest[record.source] != record.seq:
            status = "amended"
        elif held.withheld:
            status = "withheld"
        found.append(_outcome(record, event, status, held))
    return found


def _outcome(record: Record, event: Feedback, status: Status, held: Opinion) -> Outcome:
    source = record.source or ""
    return Outcome(
        position=record.seq,
        at=_time(record),
        source=source,
        implicit=source.startswith(IMPLICIT),
        status=status,
        reason=held.reason if status == "withheld" else None,
        honesty=held.honesty,
        reward=event.reward,
        weight=event.weight,
        metric=event.metric,
        value=event.value,
        comment=event.comment,
        correction=event.correction,
    )


def _time(record: Record) -> datetime:
    return datetime.fromtimestamp(record.at / 1e6, UTC)
