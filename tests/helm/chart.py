"""The chart as the real helm renders it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from helm.values import CHART
from tests.support.programs import helm

Manifest = dict[str, Any]
Values = dict[str, Any]

RELEASE, NAMESPACE = "mine", "models"


def run(action: str, values: Values, release: str = RELEASE) -> subprocess.CompletedProcess[str]:
    """``helm template`` or ``helm lint`` over the chart."""
    with tempfile.TemporaryDirectory() as scratch:
        given = Path(scratch) / "values.json"
        given.write_text(json.dumps(values), encoding="utf-8")
        about: tuple[str | Path, ...] = ("--strict", CHART)
        if action == "template":
            about = (release, CHART, "--namespace", NAMESPACE)
        return subprocess.run(
            [helm(), action, *about, "--values", given], capture_output=True, text=True, timeout=60, check=False
        )


def lint(values: Values) -> None:
    """Raises :class:`AssertionError` with what helm has against the values."""
    done = run("lint", values)
    assert done.returncode == 0, done.stdout + done.stderr


def render(values: Values, release: str = RELEASE) -> list[Manifest]:
    """Every manifest."""
    done = run("template", values, release)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def refusal(values: Values, action: str = "template", release: str = RELEASE) -> str:
    """What helm says against values that it must refuse."""
    done = run(action, values, release)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def one(manifests: list[Manifest], kind: str) -> Manifest:
    (found,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def pod(manifests: list[Manifest]) -> Manifest:
    """The pod's specification."""
    found: Manifest = one(manifests, "StatefulSet")["spec"]["template"]["spec"]
    return found
