"""``polyculture feedback revoke``, ``doubtful`` and ``audit``."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import click

from gateway.cli.client import Finite, Page, Remote, facts, remote, rows

FORMATS: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
"""How moments may be given; without a zone they are this machine's."""


@click.command()
@click.option("--tenant", help="Whose feedback; everyone's if left out, which takes --since.")
@click.option("--source", "sources", multiple=True, help="Only what a key, key/user, or key/ (all its users) said.")
@click.option("--since", type=click.DateTime(FORMATS), help="Only what was said from then on.")
@click.option("--until", type=click.DateTime(FORMATS), help="Only what was said before then.")
@click.option("--note", default="", help="Why, for the log.")
@click.confirmation_option("--yes", prompt="This feedback counts no more, nor ever did. Go on?")
@remote
def revoke(
    gateway: Remote,
    *,
    tenant: str | None,
    sources: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    note: str,
) -> Page:
    """Take feedback back: what was learned becomes what it would be without."""
    asked = {
        "tenant": tenant,
        "sources": list(sources) or None,
        "since": since and since.astimezone().isoformat(),
        "until": until and until.astimezone().isoformat(),
        "note": note,
    }
    done = gateway.post("/admin/v1/feedback/revoke", asked)
    return Page(done, [facts(done)])


@click.command()
@click.option("--tenant", help="Only this tenant's.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many at most.")
@remote
def doubtful(gateway: Remote, *, tenant: str | None, limit: int) -> Page:
    """List the answers that an audit would tell most of."""
    found = gateway.get("/admin/v1/feedback/doubtful", limit=limit, tenant=tenant)
    columns = ("decision_id", "tenant", "model", "source", "reward", "expected", "honesty")
    return Page(found, [rows(found["answers"], *columns)])


@click.command()
@click.argument("decision")
@click.argument("score", type=Finite(0, 1))
@remote
def audit(gateway: Remote, *, decision: str, score: float) -> Page:
    """Judge the answer of DECISION with SCORE: the truth that everyone who rated it is measured by."""
    done = gateway.post("/admin/v1/feedback/audit", {"id": decision, "score": score})
    return Page(done, [facts(done)])
