"""``polyculture limits`` and ``spend``: what tenants may take, and what was spent."""

from __future__ import annotations

from typing import Any

import click

from gateway.cli.client import Page, Remote, facts, quoted, remote, rows


def settings(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Limits given as ``name=value``; an empty value takes one away. Raises ``BadParameter``."""
    found: dict[str, Any] = {}
    for value in values:
        name, sign, text = value.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{value!r} is not name=value")
        found[name] = _number(text)
    return found


def _number(text: str) -> float | str | None:
    try:
        return float(text) if "." in text or "e" in text.lower() else int(text)
    except ValueError:
        return text or None


@click.command()
@click.argument("tenant")
@click.option("--set", "given", multiple=True, callback=settings, help="A limit: --set usd_per_day=5; empty for none.")
@click.option("--reset", is_flag=True, help="Let the configuration's limits hold again.")
@remote
def limits(gateway: Remote, *, tenant: str, given: dict[str, Any], reset: bool) -> Page:
    """Show what TENANT may take, or set it."""
    path = f"/admin/v1/tenants/{quoted(tenant)}/limits"
    if reset:
        found = gateway.ask("DELETE", path).json()
    elif given:
        found = gateway.ask("PATCH", path, json=given).json()
    else:
        found = gateway.get(path)
    return Page(found, [facts({"origin": found["origin"], **found["limits"]}), "", facts(found["use"])])


@click.command()
@click.option("--by", default="day", show_default=True, help="Any of tenant, key, model, day, with commas.")
@click.option("--since", help="The first day, such as 2026-11-01; this month's if left out.")
@click.option("--until", help="The last day; today if left out.")
@click.option("--tenant", help="Only this tenant's.")
@click.option("--key", help="Only by keys of this name.")
@click.option("--model", help="Only with this model.")
@remote
def spend(gateway: Remote, **query: Any) -> Page:
    """Sum up what was spent."""
    found = gateway.get("/admin/v1/spend", **query)
    columns = [name.strip() for name in query["by"].split(",")]
    counts = ("requests", "estimated", "input_tokens", "output_tokens", "usd")
    return Page(found, [rows([*found["data"], found["total"]], *columns, *counts)])
