"""``polyculture router gate`` and ``promote``: what goes live."""

from __future__ import annotations

import click

from gateway.cli.client import Page, Remote, facts, remote, rows


@click.command()
@click.option("--shadow", is_flag=True, help="Hold the shadow policy against the live one instead.")
@click.option("--tenant", default="default", show_default=True, help="Whose shadow.")
@remote
def gate(gateway: Remote, *, shadow: bool, tenant: str) -> Page:
    """Show what serves each tenant, what is on trial, and what was refused."""
    if shadow:
        found = gateway.get("/admin/v1/router/shadow/comparison", tenant=tenant)
        return Page(found, [facts(found)])
    found = gateway.get("/admin/v1/router/gate")
    trials = [{**each, **(each["trial"] or {}), "refused": "; ".join(each["refused"])} for each in found["tenants"]]
    columns = ("tenant", "version", "pinned", "candidate", "trusted", "outcomes", "evidence", "fallen", "refused")
    return Page(found, [facts({"mode": found["mode"]}), "", rows(trials, *columns)])


@click.command()
@click.argument("version", default="live")
@click.option("--tenant", default="default", show_default=True, help="Whose requests it is to serve.")
@click.option("--force", is_flag=True, help="Past the gate.")
@remote
def promote(gateway: Remote, *, version: str, tenant: str, force: bool) -> Page:
    """Let VERSION serve, where nothing goes live by itself; without one, what has been learned by now."""
    done = gateway.post("/admin/v1/router/promote", {"version": version, "tenant": tenant, "force": force})
    return Page(done, [facts(done)])
