"""``polyculture keys``: API keys made, listed, changed, rotated and revoked."""

from __future__ import annotations

from typing import Any

import click

from gateway.cli.client import Finite, Page, Remote, facts, quoted, remote, rows
from gateway.cli.spending import settings

_SHOWN = ("id", "name", "tenant", "state", "origin", "created_at", "expires_at", "scopes", "secrets")


@click.command()
@click.argument("name")
@click.option("--tenant", default="default", show_default=True, help="Whose it is.")
@click.option("--scope", "scopes", multiple=True, help="What it may do: inference, feedback, admin, admin:read.")
@click.option("--expires", help="When it ends, such as 2027-01-31T00:00:00Z.")
@click.option("--model", "models", multiple=True, help="A model that it may use; all of its tenant's without any.")
@click.option("--preference", "preferences", multiple=True, help="A way of choosing that it may ask for: auto:cheap.")
@click.option("--limit", "limits", multiple=True, callback=settings, help="A limit: --limit usd_per_day=5.")
@click.option("--no-explore", is_flag=True, help="Never explore with its requests.")
@remote
def create(gateway: Remote, *, expires: str | None, no_explore: bool, **given: Any) -> Page:
    """Make the key NAME; its secret is shown this once."""
    terms = {name: value for name, value in given.items() if value}
    terms |= {"expires_at": expires} if expires else {}
    terms |= {"explore": False} if no_explore else {}
    made = gateway.post("/admin/v1/keys", terms)
    return Page(made, [facts({**_line(made), "secret": made["secret"]}), "", "The secret is not shown again."])


@click.command(name="list")
@click.option("--tenant", help="Only this tenant's.")
@click.option("--state", type=click.Choice(["active", "expired", "revoked"]), help="Only those that stand so.")
@click.option("--limit", default=100, show_default=True, help="How many.")
@remote
def listing(gateway: Remote, **query: Any) -> Page:
    """List keys, never their secrets."""
    found = gateway.get("/admin/v1/keys", **query)
    return Page(found, [rows(map(_line, found["data"]), *_SHOWN)])


@click.command()
@click.argument("key")
@remote
def show(gateway: Remote, *, key: str) -> Page:
    """Show KEY, by its id, and what it was given for."""
    found = gateway.get(f"/admin/v1/keys/{quoted(key)}")
    return Page(found, [facts({**_line(found), **(found["terms"] or {})})])


@click.command()
@click.argument("key")
@click.option(
    "--overlap-hours",
    type=Finite(0, 8760),
    default=24.0,
    show_default=True,
    help="How long the old secret stays valid.",
)
@remote
def rotate(gateway: Remote, *, key: str, overlap_hours: float) -> Page:
    """Give KEY, by its id, a new secret, which is shown this once."""
    made = gateway.post(f"/admin/v1/keys/{quoted(key)}/rotate", {"overlap_hours": overlap_hours})
    return Page(made, [facts({**_line(made), "secret": made["secret"]}), "", "The secret is not shown again."])


@click.command()
@click.argument("key")
@remote
def revoke(gateway: Remote, *, key: str) -> Page:
    """End KEY, by its id: the next request with it is refused."""
    gone = gateway.ask("DELETE", f"/admin/v1/keys/{quoted(key)}").json()
    return Page(gone, [facts(_line(gone))])


def _line(key: dict[str, Any]) -> dict[str, Any]:
    """A key as a line of a table."""
    terms = key["terms"] or {}
    secrets = [each["hint"] + (f" until {each['expires_at']}" if each["expires_at"] else "") for each in key["secrets"]]
    return {
        **{name: key.get(name) for name in _SHOWN},
        "secrets": secrets,
        "expires_at": terms.get("expires_at"),
        "scopes": sorted(terms.get("scopes", ())),
    }
