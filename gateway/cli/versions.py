"""``polyculture router versions``, ``diff``, ``pin`` and ``rollback``: twins of the admin API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from gateway.cli.client import Page, Remote, facts, quoted, remote, rows


@click.command()
@click.argument("version", required=False)
@click.option("--limit", default=20, show_default=True, help="How many to list, newest first.")
@remote
def versions(gateway: Remote, *, version: str | None, limit: int) -> Page:
    """List saved versions of what was learned; or show one, VERSION."""
    if version is not None:
        found = gateway.get(f"/admin/v1/router/versions/{quoted(version)}")
        return Page(found, [facts(_timed(found))])
    found = gateway.get("/admin/v1/router/versions", limit=limit)
    listed = [{**_timed(each), **each["figures"]} for each in found["data"]]
    return Page(found, [rows(listed, "id", "at", "policy", "lessons", "tenants", "pinned", "reason", "parent")])


@click.command()
@click.argument("version")
@click.argument("other", default="live")
@click.option("--tenant", help="Only this tenant.")
@click.option("--limit", default=20, show_default=True, help="How many differences to show.")
@remote
def diff(gateway: Remote, *, version: str, other: str, tenant: str | None, limit: int) -> Page:
    """Show where VERSION and OTHER, the live state if left out, differ most."""
    found = gateway.get("/admin/v1/router/diff", **{"from": version, "to": other, "tenant": tenant, "limit": limit})
    sides = ("from", "to")
    both = {name: dict(zip(sides, found[name], strict=True)) for name in ("versions", "policies", "lessons")}
    changed = {name: f"{before} to {after}" for name, (before, after) in found["parameters"].items()}
    listed = [
        {
            "tenant": each["tenant"],
            "model": each["arm"],
            **{f"level_{side}": level for side, level in zip(sides, each["levels"], strict=True)},
            **{f"share_{side}": share for side, share in zip(sides, each["shares"], strict=True)},
        }
        for each in found["differences"]
    ]
    columns = ("tenant", "model", "level_from", "level_to", "share_from", "share_to")
    return Page(found, [facts({**both, "parameters": changed}), "", rows(listed, *columns)])


@click.command()
@click.argument("version", default="live")
@click.option("--unpin", is_flag=True, help="Keep it no longer than any other.")
@remote
def pin(gateway: Remote, *, version: str, unpin: bool) -> Page:
    """Keep VERSION for good; without one, save what is known by now and keep that."""
    found = gateway.post("/admin/v1/router/pin", {"version": version, "pinned": not unpin})
    return Page(found, [facts(_timed(found))])


@click.command()
@click.argument("version")
@click.option("--tenant", help="Only this tenant; everyone otherwise.")
@click.option("--note", default="", help="Why, for the log.")
@click.confirmation_option("--yes", prompt="What was learned since counts no more. Go on?")
@remote
def rollback(gateway: Remote, *, version: str, tenant: str | None, note: str) -> Page:
    """Return to VERSION: what was learned since counts no more, from the next request on."""
    found = gateway.post("/admin/v1/router/rollback", {"version": version, "tenant": tenant, "note": note})
    return Page(found, [facts({**found["rollback"], "took_ms": found["took_ms"]})])


def _timed(version: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(version["at"] / 1e6, UTC)
    return {**version, "at": at.isoformat(sep=" ", timespec="seconds")}
