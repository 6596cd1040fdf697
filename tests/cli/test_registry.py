"""``polyculture models`` and ``polyculture reload``, against a running gateway."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
import yaml

from tests.conftest import Start
from tests.support import gateway as gateways
from tests.support import packages
from tests.support.cards import card
from tests.support.command import answered, run
from tests.support.gateway import Gateway
from tests.support.registered import Models
from tests.support.upstream import Upstream


def test_a_models_whole_life_by_command(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("one", upstream.url)], "routing": {"share_cap": None}})
    added = answered(
        gateway,
        *("models", "add", "lab/two", "--base-url", upstream.url, "--model", "two", "--description", "Poems."),
        *("--set", "price.input=3", "--set", "tags=[eu, fast]", "--probe", "--state", "shadow"),
    )
    assert (added["state"], added["card"]["tags"], added["test"]["ok"]) == ("shadow", ["eu", "fast"], True)
    assert [each["id"] for each in answered(gateway, "models", "list", "--tag", "eu")["data"]] == ["lab/two"]
    edited = answered(gateway, "models", "edit", "lab/two", "--set", "price.output=4.5", "--set", "tags=null")
    assert (edited["card"]["price"]["input"], edited["card"]["price"]["output"]) == (3.0, 4.5)
    assert edited["card"]["tags"] == []
    assert answered(gateway, "models", "state", "lab/two", "canary", "--share", "0.1")["share"] == 0.1
    shown = run(gateway, "models", "list")
    assert "canary of 0.1" in shown.output
    assert "lab/two" in shown.output
    assert "Poems." in run(gateway, "models", "show", "lab/two").output
    assert answered(gateway, "models", "test", "lab/two")["ok"] is True
    assert run(gateway, "models", "remove", "lab/two", "--yes").exit_code == 0
    told = run(gateway, "models", "history", "lab/two").output
    assert "key admin" in told
    assert [each for each in ("delete", "state", "edit", "create") if each not in told] == []
    assert Models(gateway=gateway).names() == ["one"]


@pytest.fixture(scope="module")
def lone(shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway before one model."""
    with gateways.launched(tmp_path_factory.mktemp("lone"), {"models": [card("one", shared_upstream.url)]}) as running:
        yield running


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["show", "none"], "no such model"),
        (["edit", "one", "--set", "tools=true"], "configuration file"),
        (["edit", "one", "--set", "tools"], "name=value"),
        (["edit", "one", "--set", "a=1", "--set", "a.b=1"], "was given a value"),
        (["edit", "one", "--set", "a=["], "not YAML"),
        (["state", "one", "happy"], "happy"),
        (["add", "one", "--base-url", "http://127.0.0.1:9/v1"], "already"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(lone: Gateway, arguments: list[str], complaint: str) -> None:
    result = run(lone, "models", *arguments)
    assert result.exit_code != 0
    assert complaint in result.output


def test_a_gateway_is_told_to_read_its_file_again(start: Start, upstream: Upstream) -> None:
    one, two = card("one", upstream.url), card("two", upstream.url)
    gateway = start({"models": [one]})
    assert "Nothing changed" in run(gateway, "reload").output
    file = gateway.data_dir.parent / "polyculture.yaml"
    file.write_text(yaml.safe_dump({"models": [one, two]}), encoding="utf-8")
    assert answered(gateway, "reload", "--dry-run")["models_added"] == ["two"]
    assert "two" in run(gateway, "reload").output
    assert Models(gateway=gateway).names() == ["one", "two"]
    file.write_text("models: 1", encoding="utf-8")
    refused = run(gateway, "reload")
    assert (refused.exit_code, "line 1" in refused.output) == (1, True)


def test_prices_are_suggested_from_the_list_on_this_machine(start: Start, upstream: Upstream) -> None:
    path = os.pathsep.join(filter(None, (str(packages.litellm()), os.environ.get("PYTHONPATH"))))
    gateway = start({"models": []}, PYTHONPATH=path)
    models = Models(gateway=gateway)
    named = {"id": "small", "upstream": {"base_url": upstream.url, "model": "gpt-4.1-mini"}, "max_output_tokens": 99}
    suggested = models.created(named)["suggested"]
    assert suggested == {"price": {"input": 0.4, "output": 1.6, "cached_input": 0.1}, "context_window": 1_047_576}
    assert models.get("small")["card"]["context_window"] == 8192
    asked = models.ask("GET", "/../suggestions", params={"model": "anthropic/claude-sonnet-4-5"})
    assert asked.json()["suggested"]["price"]["output"] == 15.0
    assert json.loads(asked.content)["suggested"]["modalities"] == ["image", "text"]
    unknown = models.created({"id": "other", "upstream": {"base_url": upstream.url, "model": "nobody-knows"}})
    assert unknown["suggested"] == {}
