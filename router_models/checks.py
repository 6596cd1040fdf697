"""What every policy refuses: input that is not finite or does not fit, and arrays that are no state."""

from __future__ import annotations

import math

import numpy as np

from router_models.policy import Arm, Arrays, Observation, Vector


def check_prior(arm: Arm, dimensions: int) -> Vector:
    """The arm's prior (d,). Raises ``ValueError`` unless it is finite, of that length, and the arm has a name."""
    if not arm.name or arm.prior.shape != (dimensions,) or not np.isfinite(arm.prior).all():
        raise ValueError(f"arm {arm.name!r} needs a name and a finite prior of {dimensions} entries")
    return arm.prior.astype(np.float64)


def check_observation(observation: Observation, dimensions: int) -> None:
    """Raises ``ValueError`` unless every number is finite and in range."""
    rewards = (observation.reward, observation.weight, observation.previous or 0.0, observation.honesty)
    if not all(math.isfinite(value) and 0.0 <= value <= 1.0 for value in rewards):
        raise ValueError(f"reward, weight, previous and honesty must lie in [0, 1], not {rewards}")
    if observation.features.shape != (dimensions,) or not np.isfinite(observation.features).all():
        raise ValueError(f"features must be {dimensions} finite numbers")


def restored(arrays: Arrays, name: str, shape: tuple[int, ...]) -> Vector:
    """A saved array of this ``shape``, as a new float64 one. Raises ``KeyError`` or ``ValueError``."""
    array = np.array(arrays[name], dtype=np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite and of shape {shape}, not {array.shape}")
    return array


def restored_names(arrays: Arrays) -> list[str]:
    """The saved arms' names. Raises ``KeyError`` or ``ValueError``."""
    names = arrays["names"]
    listed = [str(name) for name in names]
    if names.ndim != 1 or names.dtype.kind != "U" or listed != sorted(set(listed)):
        raise ValueError("arms must have unique names, in order")
    return listed
