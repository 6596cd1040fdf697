"""``polyculture router freeze`` and ``unfreeze``."""

from __future__ import annotations

import click

from gateway.cli.client import Page, Remote, facts, remote


@click.command()
@click.option("--tenant", help="Only this tenant; everyone otherwise.")
@remote
def freeze(gateway: Remote, *, tenant: str | None) -> Page:
    """Serve what was learned, and learn nothing more."""
    state = gateway.post("/admin/v1/router/freeze", {"tenant": tenant})
    return Page(state, [facts(state)])


@click.command()
@click.option("--tenant", help="Only this tenant; everyone otherwise.")
@remote
def unfreeze(gateway: Remote, *, tenant: str | None) -> Page:
    """Learn again."""
    state = gateway.post("/admin/v1/router/unfreeze", {"tenant": tenant})
    return Page(state, [facts(state)])
