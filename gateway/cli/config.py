"""``polyculture config``: configuration files, looked at without a gateway."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def config() -> None:
    """Look at configuration files."""


@config.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--secrets", is_flag=True, help="Also check that the secrets that the file names are there.")
def check(file: Path, secrets: bool) -> None:
    """Say whether a gateway would start with FILE; every fault with its line. Exits 1 on any, 2 without a file."""
    from gateway.declaration import examine

    try:
        configuration, faults, _ = examine(file, secrets=secrets)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}") from error
    for fault in sorted(faults):
        click.echo(f"{file}:{fault.line}: {fault.what}", err=True)
    if configuration is None or faults:
        raise click.ClickException(f"{len(faults)} fault{'s' * (len(faults) != 1)} in {file}")
    routing, models, tenants = configuration.routing, len(configuration.models), len(configuration.tenants)
    click.echo(f"{file} is sound: models {models}, tenants {tenants}, policy {routing.policy}")
