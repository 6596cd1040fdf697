"""What a key was given for: what it may do, with which models, and until when."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from gateway.config import UNLIMITED, Limits, ModelId, Section

#: What a key may do: ask models, rate answers, order and look as an admin, only look as an admin.
Power = Literal["inference", "feedback", "admin", "admin:read"]

TenantId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Terms(Section):
    """What may be changed of a key."""

    scopes: tuple[Power, ...] = Field(
        ("inference", "feedback"), min_length=1, description="What it may do; admin includes admin:read."
    )
    expires_at: AwareDatetime | None = Field(None, description="When it ends (RFC 3339); never when left out.")
    models: tuple[ModelId, ...] | None = Field(
        None, description="The only models it may use, of those that its tenant may; all of these when left out."
    )
    preferences: tuple[str, ...] | None = Field(
        None, description="The only ways of choosing it may ask for, such as auto:cheap; all when left out."
    )
    explore: bool = Field(True, description="False: its requests are never explored with.")

    limits: Limits = Field(UNLIMITED, description="How much it may ask for, and spend, of what its tenant may.")

    @property
    def administers(self) -> bool:
        """Whether it opens anything of the admins'."""
        return "admin" in self.scopes or "admin:read" in self.scopes


class NewKey(Terms):
    """A key to be made."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Its name, one of a kind in its tenant."
    )
    tenant: TenantId = Field("default", description="Whose it is.")
