"""``polyculture feedback quarantine``, ``release`` and ``reject``."""

from __future__ import annotations

import click

from gateway.cli.client import Page, Remote, facts, remote, rows


@click.command()
@click.option("--tenant", help="Only this tenant's.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many at most.")
@remote
def quarantine(gateway: Remote, *, tenant: str | None, limit: int) -> Page:
    """List feedback that is withheld, and why."""
    found = gateway.get("/admin/v1/feedback/quarantine", limit=limit, tenant=tenant)
    columns = ("seq", "tenant", "source", "model", "reward", "reason", "honesty")
    return Page(found, [rows(found["feedback"], *columns)])


@click.command()
@click.argument("seq", type=click.IntRange(1))
@remote
def release(gateway: Remote, *, seq: int) -> Page:
    """Let withheld feedback count from here on."""
    done = gateway.post("/admin/v1/feedback/release", {"seq": seq})
    return Page(done, [facts(done)])


@click.command()
@click.argument("seq", type=click.IntRange(1))
@remote
def reject(gateway: Remote, *, seq: int) -> Page:
    """Leave withheld feedback out for good."""
    done = gateway.post("/admin/v1/feedback/reject", {"seq": seq})
    return Page(done, [facts(done)])
