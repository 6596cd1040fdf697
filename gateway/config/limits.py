"""How much a tenant or a key may ask for, and spend."""

from __future__ import annotations

from pydantic import Field

from gateway.config.section import Section


class Limits(Section):
    """Limits of a tenant, or of a key: none where a field is left out. Days and months are UTC's."""

    requests_per_minute: int | None = Field(None, gt=0, description="Requests in any 60 seconds.")
    tokens_per_minute: int | None = Field(None, gt=0, description="Tokens, of prompts and answers, in any 60 seconds.")
    concurrency: int | None = Field(None, gt=0, description="Requests under way at once.")
    usd_per_day: float | None = Field(None, ge=1e-9, le=1e9, description="USD spent in a day.")
    usd_per_month: float | None = Field(None, ge=1e-9, le=1e9, description="USD spent in a month.")
    soft_stop: float = Field(
        0.8, gt=0, le=1, description="Part of a budget from which on answers warn, with a header, the log and a metric."
    )
    soft_model: str | None = Field(
        None,
        pattern="^auto(:.+)?$",
        description="What auto and any auto:name mean from the soft stop on, such as auto:cheap.",
    )
    answer_tokens: int | None = Field(
        None, gt=0, description="Longest answer, told to the model where a request asks for more, or does not say."
    )

    @property
    def unlimited(self) -> bool:
        """Whether there is nothing to keep to."""
        return self == UNLIMITED


#: No limits at all.
UNLIMITED = Limits()
