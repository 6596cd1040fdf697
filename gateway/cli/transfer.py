"""``polyculture router export`` and ``import``: what was learned, as a file."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.client import Page, Remote, facts, remote


@click.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--version", default="live", show_default=True, help="As of which version.")
@click.option("--tenant", default="default", show_default=True, help="Whose state.")
@remote
def export(gateway: Remote, *, target: Path, version: str, tenant: str) -> Page:
    """Write what a tenant's router has learned to TARGET: arrays and a JSON manifest, never a pickle."""
    if target.exists():
        raise click.ClickException(f"{target} exists; choose another name")
    answer = gateway.ask("GET", "/admin/v1/router/export", params={"version": version, "tenant": tenant})
    target.write_bytes(answer.content)
    written = {"file": str(target), "bytes": len(answer.content)}
    return Page(written, [facts(written)])


@click.command(name="import")
@click.argument("origin", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tenant", default="default", show_default=True, help="Whose state it becomes.")
@click.option("--adapt", is_flag=True, help="Let its hyperparameters differ from those here.")
@click.option("--force", is_flag=True, help="Bring it past the gate.")
@click.confirmation_option("--yes", prompt="It takes the place of what the tenant has learned. Go on?")
@remote
def bring(gateway: Remote, *, origin: Path, tenant: str, adapt: bool, force: bool) -> Page:
    """Let a tenant's router know what the exported file ORIGIN holds; a rollback takes it back."""
    made = gateway.ask(
        "POST",
        "/admin/v1/router/import",
        params={"tenant": tenant, "adapt": adapt, "force": force},
        content=origin.read_bytes(),
    ).json()
    return Page(made, [facts(made)])
