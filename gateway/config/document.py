"""The configuration file as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from gateway.config.cards import ModelCard, ModelId, Override
from gateway.config.feedback import FeedbackTrust, Metric
from gateway.config.routing import Routing
from gateway.config.section import ConfigurationError, Section
from gateway.config.tenants import Tenant


class Configuration(Section):
    """The whole file."""

    models: tuple[ModelCard, ...] = Field((), description="The model cards.")
    overrides: dict[ModelId, Override] = Field(
        default_factory=dict, description="Parts of a built-in specialist's card to change, by model id."
    )
    specialists: bool = Field(False, description="Start and register the built-in demo specialists.")
    routing: Routing = Field(Routing(), description="How requests are spread.")
    feedback: FeedbackTrust = Field(FeedbackTrust(), description="Whose feedback counts.")
    metrics: dict[str, Metric] = Field(default_factory=dict, description="Feedback metrics by name.")
    tenants: tuple[Tenant, ...] = Field(
        (), description="Organisations or teams with keys and a learned state of their own."
    )
    retention_days: float | None = Field(
        None, gt=0, description="How long events are kept; what was learned stays. For ever when left out."
    )

    @classmethod
    def of(cls, document: Any) -> Configuration:
        """What a parsed file says; one that says nothing is the default. Raises :class:`pydantic.ValidationError`."""
        return cls.model_validate({} if document is None else document)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Configuration:
        for kind, names in (("model", [m.id for m in self.models]), ("tenant", [t.id for t in self.tenants])):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"two {kind}s share the id {twice[0]!r}")
        return self

    @model_validator(mode="after")
    def _ways_of_choosing_are_there(self) -> Configuration:
        known = {"auto", *(f"auto:{name}" for name in self.routing.preferences)}
        for tenant in self.tenants:
            for name in (*(tenant.preferences or ()), tenant.limits.soft_model):
                if name is not None and name not in known:
                    raise ValueError(f"tenant {tenant.id!r} names {name!r}, which routing.preferences does not have")
        return self


def parse(document: Any, *, origin: str) -> Configuration:
    """Validate a parsed document. Raises :class:`ConfigurationError` naming every faulty field."""
    try:
        return Configuration.of(document)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'top level'}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{origin}: {faults}") from error


def load(path: Path) -> Configuration:
    """Read and validate a YAML file. Raises :class:`ConfigurationError`."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path}: cannot be read as YAML: {error}") from error
    return parse(document, origin=str(path))
