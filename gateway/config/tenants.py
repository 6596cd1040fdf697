"""Who shares the installation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.config.cards import ModelId
from gateway.config.feedback import Corrections
from gateway.config.limits import UNLIMITED, Limits
from gateway.config.section import Section


class Tenant(Section):
    """An organisation or team with its own keys and its own learned state."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="The tenant's name.")]
    key_env: str | None = Field(None, description="The environment variable that holds this tenant's API key.")
    models: tuple[ModelId, ...] | None = Field(None, description="The only models it may use; all when left out.")
    preferences: tuple[str, ...] | None = Field(
        None, description="The only ways of choosing it may ask for, such as auto:cheap; all when left out."
    )
    pool: Literal["none", "contribute", "consume", "both"] = Field(
        "none", description="Whether its outcomes teach the pool of all who contribute, and whether it begins by that."
    )
    retention_days: float | None = Field(
        None, gt=0, description="How long its events are kept, in place of the installation's own time."
    )
    store_prompts: bool = Field(
        False, description="Keep the text that routing reads of each prompt; otherwise none is stored."
    )
    private: bool = Field(False, description="All its requests are private: they go to models marked so alone.")
    explore: bool = Field(True, description="False: its requests always get the best score, and never explore.")
    limits: Limits = Field(UNLIMITED, description="How much it may ask for, and spend; the API's stand in their place.")
    corrections: Corrections = Field(Corrections(), description="What is done with its users' corrections.")

    @property
    def contributes(self) -> bool:
        """Whether its outcomes teach the pool."""
        return self.pool in ("contribute", "both")

    @property
    def consumes(self) -> bool:
        """Whether it begins by what the pool knows."""
        return self.pool in ("consume", "both")
