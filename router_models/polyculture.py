"""The default policy. README.md beside this file tells the model, and what each part is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from router_models.belief import Belief
from router_models.hyperparameters import Hyperparameters
from router_models.policy import Arm, Arrays, InvalidState


@dataclass(frozen=True, kw_only=True)
class Polyculture(Hyperparameters):
    """Hierarchical Thompson sampling over neighbourhoods of similar requests."""

    name: ClassVar[str] = "polyculture"

    def start(self, *, dimensions: int, arms: Sequence[Arm]) -> Belief:
        """A state that knows only the arms' priors."""
        belief = Belief(settings=self, dimensions=dimensions)
        for arm in arms:
            belief.add(arm)
        return belief

    def load(self, arrays: Arrays) -> Belief:
        """The state that ``arrays`` saved. Raises :class:`InvalidState`."""
        try:
            belief = Belief(settings=self, dimensions=arrays["priors"].shape[1])
            belief.restore(arrays)
        except (KeyError, ValueError, IndexError, TypeError, np.linalg.LinAlgError) as error:
            raise InvalidState(f"these arrays are no state of {self.name}: {error}") from error
        return belief
