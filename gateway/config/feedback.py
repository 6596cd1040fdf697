"""What feedback says, and whose counts."""

from __future__ import annotations

from pydantic import Field, model_validator

from gateway.config.section import Section


class Metric(Section):
    """A declared feedback metric and its mapping to a reward: linear from ``worst`` (0) to ``best`` (1), clipped."""

    worst: float = Field(0.0, description="The value that stands for reward 0.")
    best: float = Field(1.0, description="The value that stands for reward 1.")

    @model_validator(mode="after")
    def _differ(self) -> Metric:
        if self.worst == self.best:
            raise ValueError("worst and best must differ")
        return self

    def reward(self, value: float) -> float:
        """The reward in [0, 1] that ``value`` stands for."""
        return min(1.0, max(0.0, (value - self.worst) / (self.best - self.worst)))


class Corrections(Section):
    """What is done with the corrections that come with feedback."""

    enabled: bool = Field(False, description="Keep corrections, and tell models the nearest ones with each request.")
    sources: tuple[str, ...] = Field(
        (),
        description="Whose are kept: keys, `key/user`, or `key/` for all users of a key; without any, the keys alone.",
    )
    most: int = Field(1000, gt=0, le=100_000, description="Corrections kept; the oldest leave first.")
    nearest: int = Field(3, gt=0, le=20, description="Corrections told with one request, at most.")
    similarity: float = Field(0.85, ge=0, le=1, description="How near a corrected request must be (cosine).")
    characters: int = Field(2000, gt=0, description="Characters of corrections told with one request, at most.")


class FeedbackTrust(Section):
    """Whose feedback counts, and how much."""

    trust: bool = Field(True, description="Whether end users' feedback is judged by how far it agrees with the rest.")
    judge_keys: bool = Field(False, description="Whether feedback without an end user, the key's own, is judged too.")
    dishonest_share: float = Field(0.15, gt=0, lt=0.5, description="First guess of the share of dishonest end users.")
    quarantine_below: float = Field(0.03, ge=0, lt=1, description="Honesty below which feedback is withheld.")
    probation: float = Field(1.0, ge=0, description="Outcomes after which an end user's feedback counts half.")
    per_hour: float = Field(600.0, gt=0, description="Outcomes an hour that an end user may give.")
    influence_cap: float = Field(0.25, gt=0, le=1, description="Largest part of a model's recent evidence from one.")
    known: int = Field(2048, gt=0, description="End users whose reliability is remembered, for each tenant.")
