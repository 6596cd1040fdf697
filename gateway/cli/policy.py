"""``polyculture router policy``, ``shadow`` and ``status``: what learns."""

from __future__ import annotations

from typing import Any

import click

from gateway.cli.client import Finite, Page, Remote, facts, remote, rows
from gateway.cli.evaluate import parameters


@click.command()
@click.argument("name")
@click.option("--set", "given", multiple=True, callback=parameters, help="A hyperparameter of it: --set scale=0.4.")
@click.option("--force", is_flag=True, help="Change it whatever the log says.")
@remote
def policy(gateway: Remote, *, name: str, given: dict[str, Any], force: bool) -> Page:
    """Let the policy NAME learn, from all that was said; refused unless the log shows it to be no worse."""
    done = gateway.post("/admin/v1/router/policy", {"policy": name, "parameters": given, "force": force})
    judged = done["judgement"] or {}
    shown = {key: judged.get(key) for key in ("decisions", "difference", "effective_sample_size")}
    return Page(done, [facts({**{key: done[key] for key in ("version", "policy", "parameters")}, **shown})])


@click.command()
@click.argument("name", default="")
@click.option("--set", "given", multiple=True, callback=parameters, help="A hyperparameter of it: --set scale=0.4.")
@click.option("--canary", type=Finite(0, 0.5), default=0.0, show_default=True, help="Its share of requests.")
@remote
def shadow(gateway: Remote, *, name: str, given: dict[str, Any], canary: float) -> Page:
    """Let the policy NAME learn beside the live one; without a name, end that."""
    done = gateway.post("/admin/v1/router/shadow", {"policy": name, "parameters": given, "canary": canary})
    return Page(done, [facts(done)])


@click.command()
@remote
def status(gateway: Remote) -> Page:
    """Show what learns, and how far it is, tenant by tenant."""
    found = gateway.get("/admin/v1/router/status")
    shown = {name: value for name, value in found.items() if name != "tenants"}
    return Page(found, [facts(shown), "", rows(found["tenants"], "tenant", "version", "lessons", "frozen")])
