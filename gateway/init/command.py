"""``polyculture init``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gateway.config import Configuration
    from gateway.init.source import Source

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--out", type=_FILE, default=Path("polyculture.yaml"), show_default=True, help="The file to write.")
@click.option("--litellm", type=_FILE, help="Take the models of a LiteLLM proxy's config.yaml; no search.")
@click.option("--demo", is_flag=True, help="The built-in demo models, their descriptions there to edit; no search.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@click.option("--detect/--no-detect", default=None, help="Search, or do not, for local servers and providers' keys.")
@click.option("--port", "ports", type=click.IntRange(1, 65535), multiple=True, help="Search this port, not the usual.")
def init(
    *, out: Path, litellm: Path | None, demo: bool, force: bool, detect: bool | None, ports: tuple[int, ...]
) -> None:
    """Write a first configuration from what is already there.

    Finds Ollama, vLLM, LM Studio, llama.cpp and other OpenAI-compatible servers on their usual local
    ports, and takes providers whose key is set in the environment. What a LiteLLM config.yaml declares is
    taken as it is, with nothing added unless --detect or --port is given, too. No key is ever written: the
    file names the environment variables that hold them. Where no model is found, the demo models are
    switched on.
    """
    from gateway.config import ConfigurationError
    from gateway.init import demo as demo_models
    from gateway.init.document import write
    from gateway.init.search import search

    if out.exists() and not force:
        raise click.ClickException(f"{out} exists: pass --force to replace it, or --out to write another file.")
    if detect is None:
        detect = litellm is None or bool(ports)
    descriptions = demo_models.descriptions()
    try:
        sources = search(
            environment=os.environ,
            litellm=litellm,
            detect=detect and not demo,
            ports=ports,
            taken=descriptions,
        )
        alone = not any(source.found for source in sources)
        configuration = write(out, sources, specialists=descriptions if demo or alone else None)
    except (ConfigurationError, OSError) as error:
        raise click.ClickException(str(error)) from error
    _report(sources)
    if alone and not demo:
        click.echo("No model was found.")
    _next_steps(out, configuration, environment=os.environ)


def _report(sources: Iterable[Source]) -> None:
    from gateway.init.source import plain

    for source in sources:
        click.secho(plain(source.title), bold=True)
        for item in source.found:
            click.echo(f"  + {item.card.id}")
            for note in item.notes:
                click.echo(f"      {plain(note)}")
        for line in source.refusals():
            click.echo(f"  - left out: {plain(line)}")
        for note in source.notes:
            click.echo(f"  {plain(note)}")


def _next_steps(out: Path, configuration: Configuration, *, environment: Mapping[str, str]) -> None:
    if configuration.specialists:
        click.echo("The built-in demo models are switched on: see `specialists` in the file.")
    keys = dict.fromkeys(card.upstream.api_key_env for card in configuration.models)
    missing = [key for key in keys if key is not None and not environment.get(key)]
    click.echo(f"\nWrote {out}. Read it through, improve the descriptions, then:\n")
    for key in missing:
        click.echo(f"  export {key}=...   # the gateway does not start without it")
    click.echo(f"  POLYCULTURE_CONFIG={shlex.quote(str(out))} polyculture serve")
