"""The configuration file: which models there are, how they are reached, and how requests are routed among them.

One YAML document, validated whole by one pydantic model; secrets are named (an environment variable or a file),
never written. ``polyculture init`` writes a first one; `docs` in README.md list every field.
"""

from __future__ import annotations

from gateway.config.cards import Endpoint, Modality, ModelCard, ModelId, Override, Price, Upstream
from gateway.config.document import Configuration, load, parse
from gateway.config.feedback import Corrections, FeedbackTrust, Metric
from gateway.config.limits import UNLIMITED, Limits
from gateway.config.routing import Gate, Preference, Routing
from gateway.config.section import ConfigurationError, Section
from gateway.config.tenants import Tenant

__all__ = [
    "UNLIMITED",
    "Configuration",
    "ConfigurationError",
    "Corrections",
    "Endpoint",
    "FeedbackTrust",
    "Gate",
    "Limits",
    "Metric",
    "Modality",
    "ModelCard",
    "ModelId",
    "Override",
    "Preference",
    "Price",
    "Routing",
    "Section",
    "Tenant",
    "Upstream",
    "load",
    "parse",
]
