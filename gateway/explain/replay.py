"""A decision's probabilities, computed anew from the log alone: the fold of what came before, and what it was asked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sqlalchemy as sa

from gateway import leaving
from gateway.events import Checkpoint, Decision, Erased, FeedbackExcluded
from gateway.explain.explanation import Recomputed
from gateway.fold import Fold
from gateway.gate.pins import beliefs
from gateway.history import restore
from gateway.schema import RARE, events
from gateway.tenants import PolicyMaker
from gateway.transaction import read
from gateway.versions.version import place
from router_models import make
from router_models.policy import Snapshot, Vector

#: The groups whose requests the shadow policy and the last trusted version propose for.
CANARY, CONTROL = "canary", "control"


def recompute(
    connection: sa.Connection, decision: Decision, *, tenant: str, make_policy: PolicyMaker = make
) -> Recomputed:
    """Fold the log up to where the decision's router stood, ask it again, and compare.

    A version that served later than it was learned, as one that was promoted or is the control, had its own beliefs,
    less what was revoked by then, and that day's prices.
    """
    position = decision.position or place(decision.version)[1]
    if not decision.drawn:
        settled = decision.reason == "settled"
        why = "one model makes this tenant's vectors" if settled else "the client named the model"
        return _untold(position, f"{why}: nothing was computed")
    if not decision.features:
        return _untold(position, "what was asked is not known any more: it was erased, or is older than what is kept")
    today = restore(connection, make_policy=make_policy, upto=position)
    if today.lineage != decision.lineage:
        return _untold(position, "the log does not reach back to this version")
    logged = np.frombuffer(decision.probabilities, "<f8")
    tries = [propose(each, decision) for each in served(connection, decision, today, tenant=tenant)]
    known = [each for each in tries if each is not None]
    if not known:
        return _untold(position, "the log does not know all of its models at this version")
    anew = min(known, key=lambda each: float(np.abs(each - logged).max()))
    note = "" if decision.position else "an older version logged it, without all that its prices rested on"
    if _thinned(connection, position):
        note = "events from before it have been dropped or erased since"
    return Recomputed(
        position=position,
        exact=anew.tobytes() == logged.tobytes(),
        largest_difference=float(np.abs(anew - logged).max()),
        note=note,
    )


def served(connection: sa.Connection, decision: Decision, today: Fold, *, tenant: str) -> Iterator[Snapshot]:
    """What the decision's group read: the shadow's beliefs, today's, or those of its version at the prices of today.

    Beside another policy than its own, a control is either by then's or by today's: what a change of policy is tried
    against stays as it was, and a trial that the change interrupted begins again.
    """
    if decision.group == CANARY:
        own = today.states.get(tenant)
        if own is not None and own.shadow is not None:
            yield own.shadow.snapshot()
        return
    snapshot = today.state(tenant).snapshot()
    if today.version(tenant) == decision.version:
        yield snapshot
        return
    yield beliefs(connection, today, tenant, decision.version).snapshot().priced(snapshot)
    if decision.group == CONTROL:
        then = restore(connection, make_policy=today.make_policy, upto=place(decision.version)[1])
        if then.live != today.live:
            yield then.state(tenant).snapshot().priced(snapshot)


def propose(snapshot: Snapshot, decision: Decision) -> Vector | None:
    """The probabilities of the decision's arms, in its order; ``None`` where one of them is not known."""
    places = {name: place for place, name in enumerate(snapshot.arms)}
    if not places.keys() >= set(decision.arms):
        return None
    rows = [places[name] for name in decision.arms]
    eligible = np.zeros(len(places), dtype=np.bool_)
    eligible[rows] = True
    costs, held = None, leaving.handicaps(decision)
    if decision.costs:
        costs = np.zeros(len(places))
        costs[rows] = np.frombuffer(decision.costs, "<f8")
    handicaps = None if held is None else np.zeros(len(places))
    if handicaps is not None:
        handicaps[rows] = held
    proposal = snapshot.propose(
        np.frombuffer(decision.features, "<f4"),
        eligible=eligible,
        costs=costs,
        cost_weight=decision.cost_weight,
        handicaps=handicaps,
        explore=decision.explore,
    )
    probabilities: Vector = proposal.probabilities[rows]
    return probabilities


def _thinned(connection: sa.Connection, position: int) -> bool:
    """Whether the log has lost events that were there at this position."""
    kinds = (Checkpoint.kind, Erased.kind, FeedbackExcluded.kind)
    for record in read(connection, RARE, events.c.kind.in_(kinds), events.c.seq > position):
        event = record.event
        if isinstance(event, FeedbackExcluded) and event.reason != "erased":
            continue
        if isinstance(event, Checkpoint) or (isinstance(event, Erased | FeedbackExcluded) and event.first <= position):
            return True
    return False


def _untold(position: int, note: str) -> Recomputed:
    return Recomputed(position=position, exact=False, largest_difference=None, note=note)
