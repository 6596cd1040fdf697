"""What a baseline keeps of the past: a mean and a deviation for every arm at every request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from router_models.policy import Arrays, Observation, Vector

Predict = Callable[[npt.NDArray[np.float32]], tuple[Vector, Vector]]


class Estimator(Protocol):
    """Arms are addressed by index; rewards come net of the arm's semantic prior."""

    def insert(self, arm: int) -> None:
        """Put an arm that knows nothing at index ``arm``."""

    def remove(self, arm: int) -> None:
        """Drop an arm."""

    def learn(self, arm: int, observation: Observation, reward: float) -> None:
        """Fold one outcome in; with ``previous`` set, ``reward`` is the change."""

    def predictor(self) -> Predict:
        """An immutable function from features (d,) to means and deviations (K,)."""

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""

    def restore(self, arrays: Arrays, arms: int) -> None:
        """Take over what :meth:`arrays` gave. Raises ``ValueError`` or ``LinAlgError`` on anything unusable."""
