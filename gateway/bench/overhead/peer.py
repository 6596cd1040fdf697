"""LiteLLM proxy, the gateway most used today: installed into an environment of its own, configured for speed."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

import yaml

VERSIONS = ("1.109.1", "1.106.0")
"""What is measured: the first of these releases that the package index can install with all it depends on."""

ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION", "LITELLM_LOG": "ERROR"}


class InstallFailed(Exception):
    """LiteLLM cannot be installed; the message holds the end of what pip said."""


def installed(home: Path) -> str | None:
    """The version that is installed in the environment ``home``, if any."""
    marker = home / "litellm-version"
    return marker.read_text().strip() if marker.is_file() else None


def install(home: Path) -> str:
    """Install it into a new environment ``home`` unless it is there; the version. Raises :class:`InstallFailed`."""
    if found := installed(home):
        return found
    venv.create(home, with_pip=True, clear=(home / "pyvenv.cfg").is_file())
    said = ""
    for version in VERSIONS:
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", f"litellm[proxy]=={version}"]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            (home / "litellm-version").write_text(version)
            return version
        said = done.stderr.strip()[-500:]
    raise InstallFailed(f"LiteLLM {' or '.join(VERSIONS)} cannot be installed into {home}: {said}")


def configure(path: Path, *, models: tuple[str, ...], upstream: str, key: str) -> None:
    """Write the proxy's configuration: the models, all served by ``upstream``, and the master key."""
    entries = [
        {"model_name": model, "litellm_params": {"model": f"openai/{model}", "api_base": upstream, "api_key": "none"}}
        for model in models
    ]
    document = {
        "model_list": entries,
        "litellm_settings": {"telemetry": False, "num_retries": 0},
        "general_settings": {"master_key": key},
    }
    path.write_text(yaml.safe_dump(document))


def command(*, home: Path, configuration: Path, port: int) -> list[str]:
    """What starts the proxy with one worker."""
    options = ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1", "--config", str(configuration)]
    return [str(home / "bin" / "litellm"), *options]
