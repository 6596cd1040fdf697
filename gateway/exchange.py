"""One request's own story: its ids, its headers, what happened, and the events that tell it."""

from __future__ import annotations

import asyncio
import math
import re
from typing import Any

import uuid_utils

from gateway.asking import TARGETS, Opened
from gateway.dialects.dialect import Inquiry
from gateway.events import Answer, Estimate, Feedback
from gateway.http import Header
from gateway.keys import Principal
from gateway.leaving import told
from gateway.limits.lease import Lease
from gateway.outcomes import WEIGHT, Witness
from gateway.registry import Model
from gateway.relay import Body
from gateway.request import CHARACTERS_PER_TOKEN, Reading
from gateway.routing import NO_WISHES, Choice

#: What a completion's id begins with, before the decision's id.
COMPLETION_PREFIX = "chatcmpl-"

#: The same in Anthropic's API.
ANTHROPIC_PREFIX = "msg_"

_PREFIX = re.compile(r"^(chatcmpl-|cmpl-|resp_|msg_)")

#: The status that is logged when the client left before its answer was complete.
CLIENT_GONE = 499


def subject_of(name: str) -> bytes | None:
    """The decision that is meant by its own id, with or without dashes, or by the completion's; else ``None``."""
    try:
        subject = bytes.fromhex(_PREFIX.sub("", name).replace("-", ""))
    except ValueError:
        return None
    return subject if len(subject) == 16 else None


class Exchange:
    """Filled in as the request goes its way; times are of a monotonic clock, in seconds."""

    def __init__(self, *, started: float, prefix: str) -> None:
        self.id: bytes = uuid_utils.uuid7().bytes
        self.started = started
        self.prefix = prefix
        self.status = 500
        self.begun = False
        self.closed = False
        self.principal: Principal | None = None
        self.inquiry: Inquiry | None = None
        self.reading: Reading | None = None
        self.wishes = NO_WISHES
        self.choice: Choice | None = None
        self.tried: list[Model] = []
        self.opened: Opened | None = None
        self.witness: Witness | None = None
        self.lease: Lease | None = None
        self.durable: asyncio.Future[bool] | None = None
        self.asked = 0.0
        self.answered = 0.0
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.cached_tokens = 0
        self.cost: float | None = None

    @property
    def name(self) -> str:
        """The decision's id, as clients see it."""
        return self.id.hex()

    @property
    def anthropic(self) -> bool:
        """Whether the client speaks Anthropic's API."""
        return self.prefix == ANTHROPIC_PREFIX

    @property
    def completion_id(self) -> str:
        """What the answer's ``id`` becomes."""
        return self.prefix + self.name

    @property
    def model(self) -> Model | None:
        """The model that answered, or was asked last."""
        if self.tried:
            return self.tried[-1]
        return self.choice.model if self.choice is not None else None

    @property
    def failed(self) -> list[str]:
        """The models that failed before another one answered, each once."""
        if len(self.tried) < 2:
            return []
        last = self.tried[-1].id
        return [name for name in dict.fromkeys(model.id for model in self.tried[:-1]) if name != last]

    @property
    def passed_over(self) -> list[str]:
        """Those who were to answer before the one who did: who failed, and who was drawn, but too slow or too busy."""
        if self.choice is None or self.model is None or self.model is self.choice.model:
            return self.failed
        return list(dict.fromkeys((self.choice.model.id, *self.failed)))

    @property
    def context(self) -> int:
        """Tokens that the model has read and written: as its server counted them, else an estimate of the prompt."""
        if self.input_tokens is None:
            return self.reading.prompt_tokens if self.reading is not None else 0
        return self.input_tokens + (self.output_tokens or 0)

    def overhead(self, now: float) -> float:
        """The gateway's own part so far, in seconds: of a stream, what came before its first byte."""
        if self.reading is not None and self.reading.stream and self.answered:
            now = self.answered
        upstream = (self.answered or now) - self.asked if self.asked else 0.0
        return now - self.started - upstream

    def count(self, body: Body) -> None:
        """Take the tokens that the upstream counted, and what they cost in USD."""
        counted = None if body.usage is None else body.usage.counted
        if self.opened is not None and counted is not None:
            self.input_tokens, self.cached_tokens, self.output_tokens = read, cached, written = counted
            self.cost = self.opened.model.cost(input_tokens=read, output_tokens=written, cached_tokens=cached)

    def headers(self, *, now: float) -> list[Header]:
        """Who answered, and why; how the caller's limits stand."""
        model, found = self.model, [] if self.lease is None else self.lease.headers(anthropic=self.anthropic)
        if self.choice is None or model is None:
            return found
        decision = self.choice.decision
        found += [
            (b"x-polyculture-decision-id", self.name.encode()),
            (b"x-polyculture-model", model.id.encode()),
            (b"x-polyculture-router-version", decision.version.encode()),
            (b"x-polyculture-propensity", b"%.6g" % self.choice.propensity),
            (b"x-polyculture-reason", decision.reason.encode()),
            (b"x-polyculture-overhead-ms", b"%.3f" % (self.overhead(now) * 1e3)),
        ]
        if passed := self.passed_over:
            found.append((b"x-polyculture-fallback-from", ",".join(passed).encode()))
        cost = self.cost
        if cost is not None:
            found.append((b"x-polyculture-cost-usd", b"%.9f" % cost))
        if decision.holder:
            found.append((b"x-polyculture-conversation", " ".join(told(decision).split()).encode("ascii", "replace")))
        if decision.corrections:
            found.append((b"x-polyculture-corrections", b"%d" % len(decision.corrections)))
        if self.durable is not None and self.durable.done() and not self.durable.result():
            found.append((b"x-polyculture-log", b"unavailable"))
        return found

    def answer(self, *, now: float) -> Answer:
        """The event that ends the decision's story."""
        assert self.choice is not None
        model, opened = self.model, self.opened
        assert model is not None
        return Answer(
            answered=model.id,
            cost=self.cost,
            drawn=self.choice.decision.drawn,
            status=self.status,
            latency=now - self.started,
            first_byte=opened.first_byte_s if opened is not None else None,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            failed=self.failed,
            cached_tokens=self.cached_tokens,
            key=self.principal.name if self.principal is not None else "",
            estimate=self.estimate(model),
        )

    def estimate(self, model: Model) -> Estimate | None:
        """What is counted of an answer, or of the part that its client waited for, whose tokens were not told."""
        reading = self.reading
        if self.input_tokens is not None or reading is None or reading.endpoint not in TARGETS or not self.asked:
            return None
        if self.status not in (200, CLIENT_GONE):
            return None
        prompt = reading.prompt_tokens or reading.tokens
        said = math.ceil(self.witness.characters / CHARACTERS_PER_TOKEN) if self.witness is not None else 0
        return Estimate(prompt, said, model.cost(input_tokens=prompt, output_tokens=said))

    def implicit(self, arm: str) -> Feedback:
        """The outcome that a faulty answer is for its model."""
        assert self.choice is not None
        return Feedback(reward=0.0, weight=WEIGHT, previous=None, lesson=self.choice.decision.lesson(arm))

    def labels(self) -> dict[str, Any]:
        """What a log line says of this request."""
        return {"decision": self.name, "model": self.model.id if self.model else None, "status": self.status}
