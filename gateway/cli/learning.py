"""``polyculture router freeze`` and ``unfreeze``."""

from __future__ import annotations

import click

from gateway.cli.client import Page, Remote, facts, remote


@click.command()
@remote
def freeze(gateway: Remote) -> Page:
    """Serve what was learned, and learn nothing more."""
    state = gateway.post("/admin/v1/router/freeze")
    return Page(state, [facts(state)])


@click.command()
@remote
def unfreeze(gateway: Remote) -> Page:
    """Learn again."""
    state = gateway.post("/admin/v1/router/unfreeze")
    return Page(state, [facts(state)])
