"""``Dockerfile``: what it copies is there and is enough, what it names exists, and it runs as nobody in particular."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gateway.openapi import document
from gateway.settings import Settings
from tests.support.gateway import Gateway
from tests.test_structure import tracked

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


class Instruction(NamedTuple):
    name: str
    rest: str


def instructions() -> list[Instruction]:
    lines = [line for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line]


def every(name: str) -> list[str]:
    return [each.rest for each in instructions() if each.name == name]


def one(name: str) -> str:
    (rest,) = every(name)
    return rest


def copied() -> list[str]:
    """What comes from the working tree."""
    lines = [line.split() for line in every("COPY") if not line.startswith("--from=")]
    return [path for line in lines for path in line[:-1]]


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for line in every("ENV") for pair in shlex.split(line))


def test_the_linter_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    said = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


def test_both_stages_start_from_one_pinned_python_that_the_project_supports() -> None:
    (base,) = {line.split()[0] for line in every("FROM")}
    found = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-[a-z]+", base)
    assert found
    assert f"Programming Language :: Python :: {found[1]}" in PROJECT["classifiers"]


def test_what_is_copied_is_sent_and_nothing_else() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignore
    assert sorted(copied()) == sorted(line[1:] for line in ignore if line.startswith("!"))
    files = {str(path.relative_to(ROOT)) for path in tracked()}
    for path in copied():
        assert path in files or any(file.startswith(f"{path}/") for file in files), path


def test_a_wheel_is_made_from_what_is_copied_alone(tmp_path: Path) -> None:
    wanted = [path.relative_to(ROOT) for path in tracked() if path.relative_to(ROOT).parts[0] in copied()]
    for path in wanted:
        target = tmp_path / "source" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=tmp_path / "source", check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    packages = [str(path) for path in wanted if path.parts[0] in ("gateway", "router_models")]
    assert packages
    assert set(packages) <= held


def test_what_it_names_exists() -> None:
    assert json.loads(one("ENTRYPOINT")) == ["polyculture"]
    assert "polyculture" in PROJECT["scripts"]
    named = {name.removeprefix("POLYCULTURE_").lower() for name in environment() if name.startswith("POLYCULTURE_")}
    assert named <= set(Settings.model_fields)
    assert one("EXPOSE") == environment()["POLYCULTURE_PORT"]
    assert one("VOLUME") == environment()["POLYCULTURE_DATA_DIR"]
    assert "specialists" in PROJECT["optional-dependencies"]
    assert "weights.txt" in copied()


@pytest.mark.parametrize("extras", ["", "specialists,providers"])
def test_what_it_installs_can_be_installed_together(extras: str) -> None:
    pins = "constraints-providers.txt" if "providers" in extras else "constraints.txt"
    assert pins in copied()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--dry-run", "--ignore-installed"]
    wanted = ["--quiet", "--constraint", pins, f".[{extras}]" if extras else "."]
    done = subprocess.run([*pip, *wanted], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def test_it_runs_as_a_numbered_user_without_secrets() -> None:
    user = one("USER").split(":")[0]
    assert int(user) > 0
    assert f"--owner={user} " in every("RUN")[-1]
    assert every("ARG") == ['EXTRAS=""']
    assert not re.search(r"KEY|TOKEN|SECRET|PASSWORD", " ".join(environment()))


@pytest.mark.parametrize(("port", "status"), [(None, 0), (9, 1)])
def test_the_health_check_tells_a_gateway_from_none(healthy: Gateway, port: int | None, status: int) -> None:
    checked = one("HEALTHCHECK").partition("CMD ")[2]
    assert "'/healthz'" in checked
    assert "/healthz" in document()["paths"]
    _, *arguments = json.loads(checked.replace(one("EXPOSE"), str(port or healthy.port)))
    done = subprocess.run([sys.executable, *arguments], capture_output=True, check=False, timeout=30)
    assert done.returncode == status
