"""Where end users stand whose feedback is judged, and what is withheld: figures over all tenants."""

from __future__ import annotations

from collections import Counter

from gateway.fold import Fold


def bands(fold: Fold) -> dict[str, int]:
    """How many sources stand where, by the name of it."""
    found: Counter[str] = Counter(new=0, trusted=0, doubted=0, quarantined=0)
    for own in fold.states.copy().values():
        found.update(own.trust.bands())
    return dict(found)


def withheld(fold: Fold) -> int:
    """Outcomes that an admin can release or reject."""
    return sum(len(own.quarantine.reasons) for own in fold.states.copy().values())
