"""The README's comparison with other gateways names only what is there, and says something in every cell."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

import click

from gateway.cli import main
from gateway.openapi import document

README = Path(__file__).parent.parent / "README.md"
HEADING = "## Compared with others"
PRODUCTS = ["Polyculture", "LiteLLM", "vLLM Semantic Router", "BitRouter", "Weave", "Lynkr", "Bifrost"]
NOTES = "¹²³⁴⁵"


def section() -> str:
    _, _, rest = README.read_text(encoding="utf-8").partition(f"\n{HEADING}\n")
    return rest.partition("\n## ")[0]


def table() -> list[list[str]]:
    lines = section().partition("\n|")[2].splitlines()
    rows = takewhile(bool, lines)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]


def features() -> list[list[str]]:
    return [row for row in table()[2:] if not row[0].startswith("**")]


def known(words: list[str]) -> bool:
    command: click.Command | None = main
    for word in words:
        if not isinstance(command, click.Group):
            return False
        command = command.get_command(click.Context(command), word)
    return command is not None


def test_every_product_has_a_column_and_every_feature_a_verdict_on_each() -> None:
    assert table()[0][1:] == PRODUCTS
    assert len(features()) > 80
    for feature, ours, *theirs in features():
        assert feature
        assert re.fullmatch(r"(yes|partly|no)(, [^,]+)?", ours), feature
        assert len(theirs) == len(PRODUCTS) - 1, feature
        assert all(re.fullmatch(rf"((yes|partly|no)(, [^,]+)?[{NOTES}]?|\?)", cell) for cell in theirs), feature


def test_what_we_do_not_do_is_said_with_a_reason() -> None:
    bare = [feature for feature, ours, *_ in features() if ours in {"no", "partly"}]
    assert bare == []


def test_no_feature_stands_twice() -> None:
    names = [row[0] for row in features()]
    assert sorted(set(names)) == sorted(names)


def test_footnotes_are_used_and_defined() -> None:
    cells = "".join(cell for row in features() for cell in row[1:])
    *_, defined = section().strip().split("\n\n")
    assert set(re.findall(rf"[{NOTES}]", cells)) == set(NOTES) == set(re.findall(rf"([{NOTES}]) ", defined))


def test_our_endpoints_and_commands_in_it_exist() -> None:
    paths = document()["paths"]
    endpoints = re.findall(r"`(GET|POST|PATCH|PUT|DELETE) (/[^`]*)`", section())
    assert [(method, path) for method, path in endpoints if method.lower() not in paths.get(path, {})] == []
    commands = re.findall(r"`polyculture ([^`]*)`", section())
    assert [command for command in commands if not known(command.split())] == []
    assert endpoints
    assert commands
