"""Control events say how the events before them are folded: they act on the past.

The state of a log is its ordinary events folded under all of its control events; :mod:`gateway.controls` reads them.
"""

from __future__ import annotations

from typing import Literal

from gateway.events.event import Event

#: Why feedback does not count: its source was revoked, its teaching rolled back, an outlier rejected, a person erased.
Exclusion = Literal["revoked", "rolled_back", "rejected", "erased"]


class Control(Event, frozen=True):
    """Says how the events before it are folded: it acts on the past, from the first event that it speaks of."""


class FeedbackExcluded(Control, frozen=True):
    """Feedback of the tenant from ``first`` to ``last`` does not count, nor ever did.

    ``sources`` limits it to some: a key, a key's end user (``key/user``), or all end users of a key (``key/``). What is
    rolled back (to ``version``) takes along imports, audits, changes of policy, and rollbacks in that range.
    """

    kind = "feedback_excluded"
    first: int
    last: int
    reason: Exclusion
    sources: list[str] | None = None
    version: str = ""
    note: str = ""


class PolicyChanged(Control, frozen=True):
    """Another policy learns, from the lineage's first event on. ``parameters`` is JSON."""

    kind = "policy_changed"
    lineage: int
    policy: str
    parameters: str


class ShadowSet(Control, frozen=True):
    """A second policy learns the same beside the live one, and gets the share ``canary`` of requests; "" for none."""

    kind = "shadow_set"
    lineage: int
    policy: str
    parameters: str = "{}"
    canary: float = 0.0


class Erased(Control, frozen=True):
    """Rows of the log, from ``first`` on, are gone for good. ``token`` tells the process that did it whose they were,
    and nobody else.
    """

    kind = "erased"
    first: int
    token: str
