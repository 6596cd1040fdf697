"""The one place that imports litellm: seconds and over 100 MB, so only where a model card asks for it."""

from __future__ import annotations

import os
from importlib import import_module, util
from typing import Any

from gateway.config import ConfigurationError

#: Its price list is its package's own, its warnings stay off the log, and it reports to nobody.
SWITCHES = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
}


def required() -> None:
    """Check that litellm is there without importing it. Raises :class:`ConfigurationError`."""
    if util.find_spec("litellm") is None:
        raise ConfigurationError(
            "a model of kind 'litellm' needs litellm: make providers installs it; or reach the model through a "
            "server that speaks OpenAI's protocol"
        )


def library() -> Any:
    """litellm, set up to do as it is told: no retries, no telemetry, no callbacks, no lookups over the network."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
    litellm: Any = import_module("litellm")
    litellm.telemetry = False
    litellm.num_retries = 0
    litellm.suppress_debug_info = True
    litellm.drop_params = True
    return litellm
