"""Events of the request's way: what was decided, what was answered, what was said of it."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np

from gateway.events.event import Event

Reason = Literal["policy", "prior", "forced", "settled"]


class Draw(Event, frozen=True):
    """A decision's first fields, which are all that the fold reads of it."""

    kind = "decision"
    chosen: str
    reason: Reason
    lineage: int

    @property
    def drawn(self) -> bool:
        """Whether the policy drew it: forced choices count for nothing, nor does who makes a tenant's vectors."""
        return self.reason in ("policy", "prior")


class Decision(Draw, frozen=True):
    """A request was given to a model. Probabilities are float64, scores and features float32.

    ``group`` is which of the tenant's versions proposed ("" the live one, "control", "canary"), drawn by
    ``assignment``; the probabilities are those within the group.

    What gives the probabilities again: the fold at ``position`` (0 where an older version did not say), the features,
    ``explore``, and, where they counted, each eligible model's expected ``costs``, float64 in USD, at ``cost_weight``.

    ``corrections`` are the places in the log of the corrections that the model was told.

    ``share`` is the control's share when the group was drawn, in the ``trial`` that began at that place in the log, 0
    for none. ``shadow`` are the probabilities that the shadow policy gave the same arms, float64, where there was one.

    ``holder`` is the model that had answered the conversation before, and so had read ``prefix`` tokens of it:
    ``saving`` USD are off its expected cost for that, and ``switch_cost`` off the utility of every other arm.
    A ``private`` request could go to private models alone.
    """

    version: str
    arms: list[str]
    probabilities: bytes
    scores: bytes
    draw: float
    features: bytes
    key: str
    endpoint: str
    preference: str
    excluded: dict[str, str]
    assignment: float = 0.0
    group: str = ""
    position: int = 0
    explore: bool = True
    cost_weight: float = 0.0
    costs: bytes = b""
    corrections: tuple[int, ...] = ()
    share: float = 0.0
    trial: int = 0
    shadow: bytes = b""
    holder: str = ""
    prefix: int = 0
    saving: float = 0.0
    switch_cost: float = 0.0
    private: bool = False

    def lesson(self, answered: str) -> Lesson | None:
        """What an outcome teaches, once this model answered; nothing where there is nothing to learn from."""
        if not self.features:
            return None
        return Lesson(answered, self.features, self.lineage, self.group, self.share, self.trial, self.private)

    def propensity(self) -> float:
        """The probability with which the chosen model was drawn; 1 where there was nothing to draw."""
        if not self.drawn:
            return 1.0
        return float(np.frombuffer(self.probabilities, "<f8")[self.arms.index(self.chosen)])


class Payment(Event, frozen=True):
    """An answer's first fields, which are all that the fold reads of it. Cost in USD."""

    kind = "answer"
    answered: str
    cost: float | None
    drawn: bool


class Estimate(msgspec.Struct, frozen=True, array_like=True):
    """What is counted where an upstream does not tell its tokens: of the prompt, of what was said, and USD."""

    input_tokens: int
    output_tokens: int
    cost: float


class Answer(Payment, frozen=True):
    """A decision's request ended. Latencies in seconds, ``status`` as the client saw it.

    Of the ``input_tokens``, the upstream had read ``cached_tokens`` before. ``key`` is the name of who asked; the
    ``estimate`` counts for limits and budgets in the place of tokens that the upstream did not tell.
    """

    status: int
    latency: float
    first_byte: float | None
    input_tokens: int | None
    output_tokens: int | None
    failed: list[str]
    cached_tokens: int = 0
    key: str = ""
    estimate: Estimate | None = None

    @property
    def counted(self) -> Estimate:
        """What counts for limits and budgets."""
        return self.estimate or Estimate(self.input_tokens or 0, self.output_tokens or 0, self.cost or 0.0)


class Lesson(msgspec.Struct, frozen=True, array_like=True):
    """What an outcome teaches: this arm, at these features, in this space (lineage); the rest is as in the decision."""

    arm: str
    features: bytes
    lineage: int
    group: str = ""
    share: float = 0.0
    trial: int = 0
    private: bool = False


class Feedback(Event, frozen=True):
    """An outcome of a decision: reward in [0, 1]; ``previous`` is what the same source said before."""

    kind = "feedback"
    reward: float
    weight: float
    previous: float | None
    lesson: Lesson | None
    metric: str | None = None
    value: float | None = None
    comment: str | None = None
    correction: str | None = None


class FeedbackReleased(Event, frozen=True):
    """Feedback that was withheld counts from here on; ``seq`` is its place, subject and source are the record's."""

    kind = "feedback_released"
    seq: int
    reward: float
    weight: float
    lesson: Lesson


class Audited(Event, frozen=True):
    """An admin judged the answer of the record's subject: the truth that everyone who rated it is measured by."""

    kind = "audited"
    reward: float
