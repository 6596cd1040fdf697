"""What every part of the configuration is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ConfigurationError(ValueError):
    """The configuration cannot be used; the message says where and why."""


class Section(BaseModel):
    """A part of the file: unknown fields are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
