"""``polyculture models`` and ``reload``: models listed, added, changed, removed, put in a state, called."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click
import yaml

from gateway.cli.client import Finite, Page, Remote, facts, quoted, remote, rows

_MODELS = "/admin/v1/models"
_COLUMNS = ("id", "origin", "state", "endpoint", "breaker", "under_way", "share", "requests", "failures", "note")


def fields(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    """A part of a card from ``name=value`` pairs; names have dots, values are YAML."""
    found: dict[str, Any] = {}
    for each in given:
        path, equals, value = each.partition("=")
        if not equals or not all(path.split(".")):
            raise click.BadParameter(f"{each!r} is not of the form name=value")
        *above, last = path.split(".")
        place = found
        for name in above:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise click.BadParameter(f"{path!r} is within a field that was given a value")
        try:
            place[last] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise click.BadParameter(f"{value!r} is not YAML") from error
    return found


_setting = click.option(
    "--set", "given", multiple=True, callback=fields, help="A field of its card: --set price.input=3 --set tags=[eu]."
)

_share = click.option(
    "--share", type=Finite(0, 1, min_open=True), help="A canary's largest part of the routed requests."
)


@click.command(name="list")
@click.option("--state", help="Only those that stand so.")
@click.option("--origin", help="Only those of the file, of the api, or specialist.")
@click.option("--endpoint", help="Only those for chat, embeddings, moderations, audio.")
@click.option("--tag", help="Only those with this tag.")
@click.option("--after", default="", help="Only those past this id.")
@click.option("--limit", default=100, show_default=True, help="How many.")
@remote
def listing(gateway: Remote, **query: Any) -> Page:
    """List models, and how each is doing."""
    found = gateway.get(_MODELS, **query)
    return Page(found, [rows(map(_line, found["data"]), *_COLUMNS)])


@click.command()
@click.argument("name")
@remote
def show(gateway: Remote, *, name: str) -> Page:
    """Show the model NAME: its card and its figures."""
    found = gateway.get(f"{_MODELS}/{quoted(name)}")
    return Page(found, [facts(_line(found)), "", facts(found["card"]), "", facts(found["figures"])])


@click.command()
@click.argument("name")
@click.option("--base-url", help="Its server's OpenAI base, usually ending in /v1.")
@click.option("--model", help="Its name at that server; NAME if left out.")
@click.option("--key-env", help="The environment variable of the gateway that holds the server's key.")
@click.option("--description", help="What it is good at, in plain words.")
@click.option("--state", default="active", show_default=True, help="Where it is to stand at first.")
@_share
@click.option("--probe", is_flag=True, help="Call it once, to see whether it answers.")
@_setting
@remote
def add(
    gateway: Remote,
    *,
    name: str,
    base_url: str | None,
    model: str | None,
    key_env: str | None,
    description: str | None,
    given: dict[str, Any],
    **query: Any,
) -> Page:
    """Add the model NAME."""
    reached = {"base_url": base_url, "model": model or name, "api_key_env": key_env, **given.pop("upstream", {})}
    said = {"id": name, "description": description, "upstream": _said(reached), **given}
    made = gateway.ask("POST", _MODELS, params=_said(query), json=_said(said)).json()
    test = {f"test_{name}": value for name, value in (made["test"] or {}).items()}
    return Page(made, [facts(_line(made)), facts({"suggested": made["suggested"], **test})])


@click.command()
@click.argument("name")
@_setting
@remote
def edit(gateway: Remote, *, name: str, given: dict[str, Any]) -> Page:
    """Change the card of the model NAME; null gives a field its default."""
    path = f"{_MODELS}/{quoted(name)}"
    meant = gateway.get(path)["etag"]
    changed = gateway.ask("PATCH", path, json=given, headers={"if-match": meant}).json()
    return Page(changed, [facts(_line(changed)), "", facts(changed["card"])])


@click.command()
@click.argument("name")
@click.confirmation_option("--yes", prompt="The model leaves, and what was learned of it. Go on?")
@remote
def remove(gateway: Remote, *, name: str) -> Page:
    """Take the model NAME out; answers under way are finished."""
    gone = gateway.ask("DELETE", f"{_MODELS}/{quoted(name)}", headers={"if-match": "*"}).json()
    return Page(gone, [facts(gone)])


@click.command()
@click.argument("name")
@click.argument("wanted", metavar="STATE")
@_share
@remote
def state(gateway: Remote, *, name: str, wanted: str, share: float | None) -> Page:
    """Let the model NAME stand so: active, disabled, draining, shadow, or canary with a share."""
    document = _said({"state": wanted, "share": share})
    changed = gateway.post(f"{_MODELS}/{quoted(name)}/state", document)
    return Page(changed, [facts(_line(changed))])


@click.command()
@click.argument("name")
@remote
def test(gateway: Remote, *, name: str) -> Page:
    """Call the model NAME once, to see whether it answers."""
    told = gateway.post(f"{_MODELS}/{quoted(name)}/test")
    return Page(told, [facts(told)])


@click.command()
@click.argument("name")
@click.option("--limit", default=20, show_default=True, help="How many, newest first.")
@remote
def history(gateway: Remote, *, name: str, limit: int) -> Page:
    """Show what was changed of the model NAME, when, and by whom."""
    found = gateway.get(f"{_MODELS}/{quoted(name)}/history", limit=limit)
    lines = [{**each, "at": _time(each["at"]), "by": each["name"] or each["actor"]} for each in found["data"]]
    return Page(found, [rows(lines, "revision", "at", "by", "change", "state", "share", "card")])


@click.command()
@click.option("--dry-run", is_flag=True, help="Tell what would change, and change nothing.")
@remote
def reload(gateway: Remote, *, dry_run: bool) -> Page:
    """Let a running gateway read its configuration file again."""
    told = gateway.post("/admin/v1/configuration/reload", {"dry_run": dry_run})
    return Page(told, [facts(told) if any(told.values()) else "Nothing changed."])


def _line(model: dict[str, Any]) -> dict[str, Any]:
    """A model as a line of a table."""
    state = model["state"] if model["state"] != "canary" else f"canary of {model['share']:g}"
    shown = {"id": model["id"], "origin": model["origin"], "note": model["note"], "endpoint": model["card"]["endpoint"]}
    return {**model["figures"], **shown, "state": state}


def _said(document: dict[str, Any]) -> dict[str, Any]:
    """A document without what was not said."""
    return {name: value for name, value in document.items() if value is not None}


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat(sep=" ", timespec="seconds")
