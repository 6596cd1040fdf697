"""Drift of what a policy's state sees: what is asked of it, and what its arms cost."""

from __future__ import annotations

import numpy as np

from router_models.alarm import Alarm
from router_models.drift.level import Level
from router_models.drift.prompts import Prompts
from router_models.policy import Arrays, InvalidState
from router_models.rows import Floats


class Drift:
    """Detectors for one state, fed in the order in which it learns."""

    def __init__(self) -> None:
        self._prompts = Prompts()
        self._prices: dict[str, Level] = {}

    def asked(self, features: Floats) -> Alarm | None:
        """Take the features (d,) of a request that an outcome was told of."""
        since = self._prompts.update(features)
        return Alarm("prompts", since) if since else None

    def paid(self, arm: str, usd: float) -> Alarm | None:
        """Take what a request to an arm cost."""
        change = self._prices.setdefault(arm, Level()).update(usd)
        return Alarm("prices", change.since, arm, change.ratio, change.mean) if change is not None else None

    def moved(self) -> None:
        """Requests lie in another feature space from here on."""
        self._prompts = Prompts()

    def remove(self, arm: str) -> None:
        """Forget an arm."""
        self._prices.pop(arm, None)

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""
        found: Arrays = {f"prompts/{name}": array for name, array in self._prompts.arrays().items()}
        for place, level in enumerate(self._prices.values()):
            found.update({f"prices/{place}/{name}": array for name, array in level.arrays().items()})
        return {**found, "arms": np.array(list(self._prices), dtype=np.str_)}

    def restore(self, arrays: Arrays) -> None:
        """Take over what :meth:`arrays` gave. Raises ``KeyError`` or :class:`InvalidState`."""
        self._prompts.restore(_under("prompts/", arrays))
        arms = arrays["arms"].tolist()
        if len(set(arms)) != len(arms) or not all(isinstance(arm, str) for arm in arms):
            raise InvalidState("arms have unique names")
        self._prices = {arm: Level() for arm in arms}
        for place, level in enumerate(self._prices.values()):
            level.restore(_under(f"prices/{place}/", arrays))


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
