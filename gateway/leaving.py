"""What leaving the model that holds a conversation would cost, as the policy is told of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gateway.conversations import Held
from gateway.eligibility import Eligibility
from gateway.events import Decision
from router_models.policy import Mask, Vector


class Leaving(NamedTuple):
    """A conversation's ``holder``, which has read ``prefix`` tokens of this prompt.

    It reads them again for ``saving`` USD less, and every other model is ``price`` worse, in units of reward; both are
    0 where the holder cannot answer, and its ``place`` among the arms is -1 where it is not even known.
    """

    holder: str
    place: int
    prefix: int
    saving: float
    price: float

    def handicaps(self, arms: int) -> Vector | None:
        """What it takes off each arm's utility (K,); ``None`` for nothing."""
        if not self.price:
            return None
        handicaps = np.empty(arms)
        handicaps.fill(self.price)
        handicaps[self.place] = 0.0
        return handicaps


def leaving(held: Held, eligibility: Eligibility, mask: Mask, *, price: float) -> Leaving:
    """The price of leaving ``held``'s model, among those who may answer."""
    place = eligibility.places.get(held.model, -1)
    if place < 0 or not mask[place]:
        return Leaving(held.model, place, held.tokens, 0.0, 0.0)
    return Leaving(held.model, place, held.tokens, held.tokens * float(eligibility.savings[place]), price)


def handicaps(decision: Decision) -> Vector | None:
    """What was taken off the utility of each of a decision's arms; ``None`` for nothing."""
    if not decision.switch_cost:
        return None
    return np.where(np.array(decision.arms) == decision.holder, 0.0, decision.switch_cost)


def told(decision: Decision) -> str:
    """What became of the conversation, in a few words; nothing where none was known."""
    if not decision.holder:
        return ""
    if decision.chosen == decision.holder:
        return "stayed"
    if decision.holder in decision.arms:
        why = "another model was drawn at the price of leaving"
    else:
        why = decision.excluded.get(decision.holder, "not here any more")
    return f"moved from {decision.holder}: {why}"
