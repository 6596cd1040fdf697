"""``polyculture erase``: a tenant or an end user, for good."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.client import Page, Remote, facts, quoted, remote

_receipt = click.option(
    "--receipt",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to put the signed receipt; it alone can show later who was erased.",
)


@click.group()
def erase() -> None:
    """Erase a tenant or an end user: all that is theirs, and all that was learned from them."""


@erase.command()
@click.argument("tenant")
@_receipt
@click.confirmation_option(prompt="All of this tenant's data will be gone for good. Erase it?")
@remote
def tenant(gateway: Remote, tenant: str, file: Path | None) -> Page:
    """Erase TENANT."""
    return _told(gateway.ask("DELETE", f"/admin/v1/tenants/{quoted(tenant)}").json(), file)


@erase.command()
@click.argument("user")
@click.option("--tenant", required=True, help="Whose end user it is.")
@_receipt
@click.confirmation_option(prompt="All of this end user's data will be gone for good. Erase it?")
@remote
def user(gateway: Remote, user: str, tenant: str, file: Path | None) -> Page:
    """Erase the end user USER, a source of feedback: key/user."""
    return _told(gateway.ask("DELETE", f"/admin/v1/users/{quoted(user)}", params={"tenant": tenant}).json(), file)


def _told(erasure: Mapping[str, Any], file: Path | None) -> Page:
    signed = erasure["receipt"]
    if signed is None:
        return Page(erasure, [facts({"erasure": erasure["id"], "step": erasure["step"]})])
    if file is not None:
        file.write_text(json.dumps(signed, indent=2) + "\n", encoding="utf-8")
    receipt = signed["receipt"]
    return Page(erasure, [facts({"erasure": erasure["id"], "step": erasure["step"], **receipt["removed"]})])
