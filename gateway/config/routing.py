"""How requests are spread, and what may go live."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from gateway.config.section import Section


class Preference(Section):
    """A named way of choosing, asked for as ``auto:<name>``."""

    cost_weight: float = Field(0.0, ge=0, description="Reward given up per USD of expected cost.")
    tags: frozenset[str] = Field(frozenset(), description="Only models that carry all of these tags.")
    explore: bool = Field(True, description="False: always the best score, off the exploration's path.")


class Gate(Section):
    """What a version of the router must show before it goes live, and afterwards."""

    mode: Literal["auto", "ope", "manual"] = Field(
        "auto",
        description="What goes live: all that is learned; what the log shows to be no worse; what is promoted.",
    )
    margin: float = Field(
        0.02, ge=0, lt=0.1, description="Reward by which a version may be worse and still pass for no worse."
    )
    control_share: float = Field(
        0.05,
        ge=0,
        le=0.3,
        description="Share of requests that the last trusted version keeps, to compare; 0: no trials.",
    )
    trial_share: float = Field(0.3, gt=0, le=0.5, description="The same while what was promoted or brought in is new.")
    trial_outcomes: int = Field(1000, ge=100, description="Outcomes after which a version is trusted.")

    @model_validator(mode="after")
    def _shares_fall(self) -> Gate:
        if self.trial_share < self.control_share:
            raise ValueError("trial_share must not be below control_share")
        return self


class Routing(Section):
    """How requests are spread over the eligible models."""

    policy: str = Field("polyculture", description="The learning policy's name.")
    preferences: dict[str, Preference] = Field(
        default_factory=lambda: {"quality": Preference(), "cheap": Preference(cost_weight=100.0)},
        description="What may follow `auto:` in a request's model.",
    )
    exploration: float = Field(0.01, ge=0, le=0.5, description="Probability mass spread evenly over eligible models.")
    share_cap: float | None = Field(0.6, gt=0, le=1, description="Largest share of routed requests a model may take.")
    budget: float | None = Field(None, gt=0, description="USD that a routed request may cost on average.")
    cost_weight: float = Field(0.0, ge=0, description="Reward given up per USD of expected cost, for auto.")
    latency_objective_s: float | None = Field(None, gt=0, description="An answer slower than this counts against it.")
    fallbacks: int = Field(2, ge=0, le=10, description="Other models tried when the chosen one fails.")
    retries: int = Field(1, ge=0, le=5, description="Further rounds through models that broke off or answered 5xx.")
    hedge_after_s: float | None = Field(
        None, gt=0, description="A model silent for so long gets a rival; off if left out."
    )
    switch_cost: float = Field(
        0.1, ge=0, le=1, description="Reward by which another model must be better to take a conversation over."
    )
    conversations: int = Field(
        4096, ge=0, description="Conversations remembered for each tenant, and as many first turns; 0: none."
    )
    conversation_idle_s: float = Field(3600.0, gt=0, description="How long a conversation is remembered, in seconds.")
    gate: Gate = Field(Gate(), description="What goes live, and what may stay.")
