"""``polyculture specialists``: the demo's model servers alone, without a gateway."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import click
import structlog

from gateway.specialists import serve_all


@click.command()
@click.option("--name", "names", multiple=True, help="Only this specialist; may be given several times.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8101, show_default=True, help="The first specialist's port; the others follow.")
def specialists(names: tuple[str, ...], host: str, port: int) -> None:
    """Serve the built-in specialists, each an OpenAI-compatible server of its own, until interrupted."""
    log = structlog.get_logger("polyculture.specialists")
    with suppress(KeyboardInterrupt):
        try:
            asyncio.run(serve_all(names=names or None, host=host, first_port=port, log=log, echo=click.echo))
        except (OSError, ValueError, LookupError) as error:
            raise click.ClickException(str(error)) from error
