"""``polyculture config check``: every fault of a configuration file, with its line."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from click.testing import Result

from tests.support.command import invoke

SOUND = """\
    models:
      - id: one
        upstream: {base_url: "http://127.0.0.1:1/v1", model: x, api_key_env: ONE_KEY}
    tenants:
      - {id: acme, key_env: ACME_KEY}
"""


def checked(folder: Path, text: str, *options: str, **environment: str | None) -> Result:
    file = folder / "polyculture.yaml"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return invoke("config", "check", str(file), *options, environment=environment)


def told(result: Result) -> list[str]:
    """The faults, each as ``line: what``."""
    return [line.partition("polyculture.yaml:")[2] for line in result.stderr.splitlines()[:-1]]


def test_a_sound_file_is_summed_up(tmp_path: Path) -> None:
    result = checked(tmp_path, SOUND)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("is sound: models 1, tenants 1, policy polyculture\n")


def test_secrets_are_looked_for_when_asked(tmp_path: Path) -> None:
    result = checked(tmp_path, SOUND, "--secrets", ONE_KEY=None, ACME_KEY=None)
    assert result.exit_code == 1
    assert told(result) == [
        "3: model one: the environment variable ONE_KEY is not set",
        "5: tenant acme: the environment variable ACME_KEY is not set",
    ]
    assert checked(tmp_path, SOUND, "--secrets", ONE_KEY="k", ACME_KEY="k").exit_code == 0


@pytest.mark.parametrize(
    "upstream",
    [
        'base_url: "http://h/v1", api_key_env: "{}"',
        'base_url: "http://h/v1", api_key_file: "{}"',
        'base_url: "http://h/v1?key={}"',
        'base_url: "http://user:{}@h/v1"',
    ],
)
@pytest.mark.parametrize("secret", ["sk-proj-4f1c9a0b2d", "8c1f0e7d6b5a4938271605f4e3d2c1b0a9"])
def test_a_secret_in_the_wrong_place_is_not_told(tmp_path: Path, upstream: str, secret: str) -> None:
    models = f"models: [{{id: one, upstream: {{model: m, {upstream.format(secret)}}}}}]"
    result = checked(tmp_path, f"{models}\ntenants: [{{id: acme, key_env: {secret}}}]", "--secrets")
    assert len(told(result)) == 2
    assert secret not in result.output


def test_every_fault_is_told_with_its_line(tmp_path: Path) -> None:
    text = """\
        # a comment
        modles: []
        models:
          - id: one
            upstream:
              base_url: nonsense
          - id: auto
            price: {input: -1}
    """
    result = checked(tmp_path, text)
    assert result.exit_code == 1
    assert [line.split(":")[:2] for line in told(result)] == [
        ["2", " modles"],
        ["5", " models.0.upstream.model"],
        ["6", " models.0.upstream.base_url"],
        ["7", " models.1.id"],
        ["7", " models.1.upstream"],
        ["8", " models.1.price.input"],
    ]
    assert "Error: 6 faults in" in result.stderr


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("models: [", "1: is not YAML"),
        ("a: 1\nb: {", "2: is not YAML"),
        ("models: \x00", "1: is not YAML"),
        ("[1, 2]", "1: Input should be"),
        ("routing:\n  policy: nonsense", "1: routing: "),
        ("routing: {policy: linucb, share_cap: 0.5}", "1: routing: the policy linucb holds no share_cap"),
        ("models:\n- {id: m, upstream: {model: x,\n    base_url: 'http://u:p@x/'}}", "3: model m: "),
        ("metrics:\n  flat:\n    {worst: 1, best: 1}", "2: metrics.flat"),
    ],
)
def test_what_would_not_start_is_found(tmp_path: Path, text: str, line: str) -> None:
    result = checked(tmp_path, text)
    assert result.exit_code == 1
    assert told(result)[0].startswith(line), result.stderr
    assert "Error: 1 fault in" in result.stderr


def test_a_file_that_is_not_there_is_another_kind_of_failure(tmp_path: Path) -> None:
    result = invoke("config", "check", str(tmp_path / "none.yaml"))
    assert result.exit_code == 2
    assert "does not exist" in result.stderr
