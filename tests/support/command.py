"""The ``polyculture`` command, run in this process against a running gateway."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from click.testing import CliRunner, Result

from gateway.cli import main
from tests.support.gateway import ADMIN_KEY, Gateway


def invoke(*arguments: str, environment: Mapping[str, str | None] | None = None) -> Result:
    """Run a command to its end."""
    return CliRunner().invoke(main, arguments, env=dict(environment or {}), catch_exceptions=False)


def run(gateway: Gateway, *arguments: str, key: str = ADMIN_KEY, **environment: str) -> Result:
    """Run a command that asks this gateway, found by the environment."""
    return invoke(
        *arguments,
        environment={"POLYCULTURE_URL": gateway.url, "POLYCULTURE_ADMIN_KEY": key, **environment},
    )


def answered(gateway: Gateway, *arguments: str) -> Any:
    """What a command that succeeds prints with ``--json``."""
    result = run(gateway, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
