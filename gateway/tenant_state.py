"""All that is known of one tenant: what the policies have learned, and what stands beside that, part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

import numpy as np
import structlog

from gateway.trust.quarantine import Quarantine
from gateway.withheld import Withheld
from router_models.alarm import Alarm
from router_models.drift import Drift
from router_models.policy import Arrays, InvalidState, Observation, Policy, State
from router_models.trust import Trust

T = TypeVar("T")

_logger = structlog.get_logger("polyculture.fold")


class Part(Protocol):
    """What can be saved as arrays, and restored."""

    def arrays(self) -> Arrays:
        """Everything needed to go on, as named arrays."""

    def restore(self, arrays: Arrays) -> None:
        """Take over what :meth:`arrays` gave. Raises ``KeyError`` or ``ValueError`` on anything unusable."""


class TenantState:
    """``learned`` is the live policy's state, ``shadow`` that of one which learns beside it; none before the first
    event. The other parts outlast a change of the feature space.
    """

    def __init__(self) -> None:
        self.learned: State | None = None
        self.shadow: State | None = None
        self.withheld = Withheld()
        self.drift = Drift()
        self.trust = Trust()
        self.quarantine = Quarantine()
        self.lessons = 0

    @property
    def parts(self) -> Mapping[str, Part]:
        """What is saved beside the policies' states, by name; a new part is one more line here.

        Old checkpoints hold a part ``trust``, of another model of the sources, which start as new then.
        """
        beside: dict[str, Part] = {"sources": self.trust, "quarantine": self.quarantine}
        return {"withheld": self.withheld, "drift": self.drift, **beside}

    def update(self, change: Callable[[State], T]) -> T | None:
        """Change what was learned, and the shadow alike; a shadow that fails is told of, and does no harm.

        Returns what the change of what was learned returned.
        """
        found = None if self.learned is None else change(self.learned)
        if self.shadow is not None:
            try:
                change(self.shadow)
            except Exception:
                _logger.exception("shadow_failed")
        return found

    def learn(self, observation: Observation) -> list[Alarm]:
        """Fold one outcome in; what has changed by all evidence now is forgotten, and told."""
        worth = self.update(lambda state: state.learn(observation))
        asked = self.drift.asked(observation.features) if observation.previous is None else None
        self.lessons += 1
        return [alarm for alarm in (worth, self._drifted(asked)) if alarm is not None]

    def paid(self, arm: str, usd: float) -> list[Alarm]:
        """Book what a request cost; a change of that is learned anew, and told."""
        alarm = self._drifted(self.drift.paid(arm, usd))
        self.update(lambda state: state.paid(arm, usd))
        return [] if alarm is None else [alarm]

    def remove(self, arm: str) -> None:
        """Forget an arm."""
        self.update(lambda state: state.remove(arm))
        self.drift.remove(arm)

    def begin(self) -> None:
        """Enter another feature space: nothing that was learned applies there."""
        self.learned = self.shadow = None
        self.drift.moved()

    def _drifted(self, alarm: Alarm | None) -> Alarm | None:
        if alarm is not None:
            self.update(lambda state: state.drifted(alarm))
        return alarm

    def arrays(self) -> Arrays:
        """Everything, as arrays named ``<part>/<name>``."""
        saved: dict[str, Part | State | None] = {"policy": self.learned, "shadow": self.shadow, **self.parts}
        found = {
            f"{name}/{key}": array
            for name, part in saved.items()
            if part is not None
            for key, array in part.arrays().items()
        }
        return {**found, "lessons": np.array(self.lessons)}

    @classmethod
    def load(cls, arrays: Arrays, *, policy: Policy | None, shadow: Policy | None) -> TenantState:
        """What :meth:`arrays` gave; parts that it lacks, and states without their policy, are as new.

        Raises :class:`InvalidState`.
        """
        state = cls()
        named = split(arrays)
        try:
            state.lessons = int(arrays["lessons"])
            if "policy" in named and policy is not None:
                state.learned = policy.load(named["policy"])
            if "shadow" in named and shadow is not None:
                state.shadow = shadow.load(named["shadow"])
            for name, part in state.parts.items():
                if name in named:
                    part.restore(named[name])
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise InvalidState(f"these arrays are no tenant's state: {error}") from error
        return state


def split(arrays: Arrays) -> dict[str, Arrays]:
    """The arrays named ``<part>/<name>``, by part."""
    named: dict[str, Arrays] = {}
    for name, array in arrays.items():
        part, slash, key = name.partition("/")
        if slash:
            named.setdefault(part, {})[key] = array
    return named
