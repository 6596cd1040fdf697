"""Feedback in: validated against its decision, durable before the answer, once per source and decision."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import structlog

from gateway.configured import Configured
from gateway.decoding import decode
from gateway.errors import BadRequest, GatewayError, Internal, NotFound, Unavailable, Unprocessable
from gateway.events import Answer, Decision, Feedback, Lesson
from gateway.exchange import subject_of
from gateway.http import ClientGone, Receive, Scope, Send, read_body, respond, respond_error
from gateway.keys import KeyRing, Principal
from gateway.learner import Learner
from gateway.log import Log, LogUnavailable
from gateway.metrics import Metrics
from gateway.transaction import Record, Transaction

_logger = structlog.get_logger("polyculture.feedback")

#: Most items in one batch.
BATCH_LIMIT = 1000

#: How long an answer waits for the learner, so that as a rule the next request is routed by what was said.
PATIENCE_S = 0.05

Text = Annotated[str, msgspec.Meta(max_length=20_000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class FeedbackItem(msgspec.Struct, forbid_unknown_fields=True):
    """One outcome: of a decision, by its own id or by the completion's, as a score, a thumb or a declared metric."""

    decision_id: Name | None = None
    completion_id: Name | None = None
    score: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    thumb: Literal["up", "down"] | None = None
    metric: Name | None = None
    value: float | bool | None = None
    comment: Text | None = None
    correction: Text | None = None
    source: Name | None = None
    user: Name | None = None

    @property
    def said_by(self) -> str | None:
        """The end user who says so, by either name. Raises :class:`BadRequest` where they differ."""
        if self.source is not None and self.user not in (None, self.source):
            raise BadRequest("source and user are two names of one thing: give one.", param="user")
        return self.user if self.source is None else self.source


class FeedbackResult(msgspec.Struct, omit_defaults=True):
    """What became of an item; ``error`` in place of ``status`` where it was refused."""

    decision_id: str | None = None
    status: Literal["recorded", "amended", "unchanged", "quarantined"] | None = None
    reward: float | None = None
    learned: bool | None = None
    reason: str | None = None
    error: dict[str, Any] | None = None


class Recorded(NamedTuple):
    """An item in the log at ``seq``, or there already."""

    result: FeedbackResult
    seq: int | None


class Checked(NamedTuple):
    """A valid item: the decision it speaks of, who says so, and the event it becomes."""

    subject: bytes
    source: str
    event: Feedback


_one_or_many = msgspec.json.Decoder(
    FeedbackItem | Annotated[list[FeedbackItem], msgspec.Meta(min_length=1, max_length=BATCH_LIMIT)]
)


class FeedbackEndpoint:
    """``POST /v1/feedback``: one item, or a list of them."""

    def __init__(
        self,
        *,
        keys: KeyRing,
        log: Log,
        metrics: Metrics,
        configured: Configured,
        window_s: float,
        body_limit: int,
        learner: Learner,
    ) -> None:
        self._keys = keys
        self._log = log
        self._metrics = metrics
        self._configured = configured
        self._window_us = int(window_s * 1e6)
        self._body_limit = body_limit
        self._learner = learner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            principal = self._keys.authenticate(scope, "feedback")
            items = read(await read_body(scope, receive, limit=self._body_limit))
            if isinstance(items, FeedbackItem):
                result: Any = (await self._take(principal, [items]))[0]
                if isinstance(result, GatewayError):
                    await respond_error(send, result)
                    return
            else:
                taken = await self._take(principal, items)
                result = {"results": [_shown(each) for each in taken]}
        except GatewayError as error:
            self._metrics.feedback.labels("refused").inc()
            await respond_error(send, error)
        except ClientGone:
            return  # nobody is there to be answered, and nothing was recorded
        except Exception:
            _logger.exception("feedback_failed")
            await respond_error(send, Internal("Something went wrong inside the gateway; its log has more."))
        else:
            body = msgspec.json.encode(result)
            await respond(send, status=200, headers=[(b"content-type", b"application/json")], body=body)

    async def _take(self, principal: Principal, items: list[FeedbackItem]) -> list[FeedbackResult | GatewayError]:
        """All items in one transaction; each is recorded or refused by itself."""
        checked = [self._check(principal, item) for item in items]
        try:
            results = await self._log.transact(partial(self._record_all, principal, checked))
        except LogUnavailable:
            raise Unavailable(
                "Feedback cannot be stored now: the log cannot be written. Send it again later.",
                retry_after_s=5,
            ) from None
        await self._learner.settled(within_s=PATIENCE_S)
        return [self._ended(principal, each) for each in results]

    def _ended(self, principal: Principal, recorded: Recorded | GatewayError) -> FeedbackResult | GatewayError:
        """What became of an item, so far as it is known by now."""
        if isinstance(recorded, GatewayError):
            self._metrics.feedback.labels("refused").inc()
            return recorded
        result, own = recorded.result, self._learner.fold.states.get(principal.tenant)
        reason = own.quarantine.reasons.get(recorded.seq or 0) if own is not None else None
        if reason is not None:
            result.status, result.learned, result.reason = "quarantined", False, reason
        self._metrics.feedback.labels(result.status).inc()
        return result

    def _record_all(
        self, principal: Principal, checked: list[Checked | GatewayError], transaction: Transaction
    ) -> list[Recorded | GatewayError]:
        results: list[Recorded | GatewayError] = []
        for each in checked:
            try:
                results.append(each if isinstance(each, GatewayError) else self._record(principal, each, transaction))
            except GatewayError as error:
                results.append(error)
        return results

    def _check(self, principal: Principal, item: FeedbackItem) -> Checked | GatewayError:
        try:
            reward = self._reward(item)
            source = principal.name if item.said_by is None else f"{principal.name}/{item.said_by}"
            event = Feedback(
                reward=reward,
                weight=1.0,
                previous=None,
                lesson=None,
                metric=item.metric,
                value=None if item.value is None else float(item.value),
                comment=item.comment,
                correction=item.correction,
            )
            return Checked(_subject(item), source, event)
        except GatewayError as error:
            return error

    def _reward(self, item: FeedbackItem) -> float:
        ways = [name for name in ("score", "thumb", "metric") if getattr(item, name) is not None]
        alone = not ways and bool(item.correction and item.correction.strip())
        if len(ways) != 1 and not alone:
            told = "Give exactly one of score, thumb, or metric with value; or a correction alone."
            raise BadRequest(told, param=ways[1] if ways else None)
        if (item.value is None) != (item.metric is None):
            raise BadRequest("metric and value go together.", param="value")
        if alone:
            return 0.0  # what had to be put right was not right
        if item.score is not None:
            return float(item.score)
        if item.thumb is not None:
            return 1.0 if item.thumb == "up" else 0.0
        metric = self._configured.metrics.get(item.metric or "")
        if metric is None or item.value is None:
            known = ", ".join(sorted(self._configured.metrics)) or "none"
            raise BadRequest(f"The metric {item.metric!r} is not declared; declared: {known}.", param="metric")
        return metric.reward(float(item.value))

    def _record(self, principal: Principal, checked: Checked, transaction: Transaction) -> Recorded:
        """Runs in the writer's transaction, so nothing can come between the look and the leap."""
        history = transaction.about(checked.subject)
        decided = next((each for each in history if isinstance(each.event, Decision)), None)
        if decided is None or decided.tenant != principal.tenant:
            raise NotFound("There is no such decision.", param="decision_id")
        if transaction.at - decided.at > self._window_us:
            raise Unprocessable("The decision is too old to take feedback.", param="decision_id")
        said = [each.event for each in history if each.source == checked.source and isinstance(each.event, Feedback)]
        event = checked.event
        if not self._learner.fold.frozen:
            taught = next((each for each in reversed(said) if each.lesson is not None), None)
            lesson = taught.lesson if taught is not None else _lesson(history, decided)
            event = msgspec.structs.replace(event, lesson=lesson, previous=taught.reward if taught else None)
        result = FeedbackResult(
            decision_id=checked.subject.hex(),
            status="amended" if said else "recorded",
            reward=event.reward,
            learned=event.lesson is not None,
        )
        if said and checked.event == msgspec.structs.replace(said[-1], lesson=None, previous=None):
            result.status, result.learned = "unchanged", said[-1].lesson is not None
            return Recorded(result, None)
        transaction.append(event, tenant=principal.tenant, subject=checked.subject, source=checked.source)
        return Recorded(result, transaction.position)


def read(body: bytes) -> FeedbackItem | list[FeedbackItem]:
    """The item or items. Raises :class:`BadRequest` naming the faulty field."""
    items: FeedbackItem | list[FeedbackItem] = decode(_one_or_many, body)
    return items


def _subject(item: FeedbackItem) -> bytes:
    if (item.decision_id is None) == (item.completion_id is None):
        raise BadRequest("Give either decision_id or completion_id.", param="decision_id")
    subject = subject_of(item.decision_id or item.completion_id or "")
    if subject is None:
        raise NotFound("There is no such decision.", param="decision_id" if item.decision_id else "completion_id")
    return subject


def _lesson(history: list[Record], decided: Record) -> Lesson | None:
    """What this outcome teaches: the model that really answered, at the decision's features."""
    decision = decided.event
    assert isinstance(decision, Decision)
    return decision.lesson(
        next((each.event.answered for each in history if isinstance(each.event, Answer)), decision.chosen)
    )


def _shown(result: FeedbackResult | GatewayError) -> FeedbackResult:
    return FeedbackResult(error=result.document()["error"]) if isinstance(result, GatewayError) else result
