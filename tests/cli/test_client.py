"""Commands that ask a running gateway: where it is found, with which key, and how faults are told."""

from __future__ import annotations

import httpx
import pytest

from gateway.cli.client import quoted, text
from tests.support.command import answered, invoke, run
from tests.support.gateway import ADMIN_KEY, KEY, Gateway

NOWHERE = {"POLYCULTURE_URL": "http://127.0.0.1:9", "POLYCULTURE_ADMIN_KEY": ADMIN_KEY}


def test_freezing_by_command(healthy: Gateway) -> None:
    assert answered(healthy, "router", "freeze") == {"frozen": True}
    assert healthy.metric("polyculture_learning_frozen") == 1
    result = run(healthy, "router", "unfreeze")
    assert (result.exit_code, result.output.split()) == (0, ["frozen", "no"])
    assert healthy.metric("polyculture_learning_frozen") == 0


def test_the_address_may_be_given_and_comes_before_the_environments(healthy: Gateway) -> None:
    result = invoke("router", "unfreeze", "--url", f"{healthy.url}/", environment=NOWHERE)
    assert result.exit_code == 0


def test_without_an_address_it_is_this_machines(healthy: Gateway) -> None:
    for host in ("127.0.0.1", "0.0.0.0"):
        environment = {"POLYCULTURE_HOST": host, "POLYCULTURE_PORT": str(healthy.port)}
        result = invoke("router", "unfreeze", environment={**environment, "POLYCULTURE_ADMIN_KEY": ADMIN_KEY})
        assert result.exit_code == 0


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"POLYCULTURE_ADMIN_KEY": None, "POLYCULTURE_API_KEY": None}, "set POLYCULTURE_ADMIN_KEY"),
        (NOWHERE, "no gateway answers at http://127.0.0.1:9"),
        ({**NOWHERE, "POLYCULTURE_URL": "nonsense"}, "no gateway answers at nonsense"),
    ],
)
def test_faults_are_told_in_a_line(environment: dict[str, str | None], complaint: str) -> None:
    result = invoke("router", "freeze", environment=environment)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert complaint in result.output


def test_what_the_gateway_refuses_is_told_in_its_words(healthy: Gateway) -> None:
    for key, complaint in ((KEY, "This needs an admin key."), ("wrong", "The API key is not valid here.")):
        result = run(healthy, "router", "freeze", key=key)
        assert (result.exit_code, result.output) == (1, f"Error: {complaint}\n")
    elsewhere = invoke("router", "freeze", "--url", f"{healthy.url}/nowhere", environment=NOWHERE)
    assert elsewhere.output == "Error: There is nothing at /nowhere/admin/v1/router/freeze.\n"


@pytest.mark.parametrize("number", ["nan", "-nan", "inf", "-inf", "1e999"])
@pytest.mark.parametrize(
    "command",
    [
        ("feedback", "audit", "0" * 32, "--", "{}"),
        ("models", "add", "two", "--share", "{}"),
        ("models", "state", "two", "canary", "--share", "{}"),
        ("router", "shadow", "linucb", "--canary", "{}"),
        ("keys", "rotate", "0" * 32, "--overlap-hours", "{}"),
    ],
)
def test_what_is_no_finite_number_is_within_no_bounds(command: tuple[str, ...], number: str) -> None:
    result = invoke(*(each.format(number) for each in command), environment=NOWHERE)
    assert result.exit_code == 2
    assert "is not in the range" in result.output


def test_what_json_cannot_say_is_told_in_a_line() -> None:
    for command in (("models", "add", "one", "--set", "a=.nan"), ("limits", "acme", "--set", "usd_per_day=1e999")):
        result = invoke(*command, environment=NOWHERE)
        assert (result.exit_code, result.output.count("\n")) == (1, 1)
        assert "this cannot be asked for" in result.output


@pytest.mark.parametrize(
    ("name", "segment"),
    [(".", "%2E"), ("..", "%2E%2E"), ("a/../b", "a%2F..%2Fb"), ("...", "..."), ("gpt-4.1", "gpt-4.1")],
)
def test_a_name_is_one_segment_of_a_path(name: str, segment: str) -> None:
    assert quoted(name) == segment
    assert httpx.URL(f"http://here/above/{quoted(name)}").raw_path == f"/above/{segment}".encode()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (1 / 3, "0.333333"),
        (3, "3"),
        (["a", 0.5], "a, 0.5"),
        ({"a": 1, "b": None}, "a 1, b "),
        ("plain", "plain"),
        ("[red]\x1b[2Jé", "\\[red]\N{REPLACEMENT CHARACTER}[2Jé"),
    ],
)
def test_values_as_people_read_them(value: object, shown: str) -> None:
    assert text(value) == shown
