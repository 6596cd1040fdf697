"""What a routing policy is: a fold over observations that publishes immutable snapshots.

A policy has three parts, kept apart so that each can be tested and saved alone:

* a :class:`Policy` holds hyperparameters only, and starts states;
* a :class:`State` is what was learned: it is owned by one fold, changes in place, and saves itself as arrays;
* a :class:`Snapshot` is what requests read: immutable, shared between threads, cheap to publish.

Everything is deterministic: the same state and features give the same probabilities, bit for bit, so that a
logged choice can be recomputed from its version. Arms are known by name, never by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from router_models.alarm import Alarm

Vector = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Arrays = dict[str, npt.NDArray[Any]]

TELLTALE: Final = frozenset({"memory_sources", "memory_honesty"})
"""Arrays of a state that say who told what. It can do without: then nothing that was learned is weighed anew."""


class InvalidState(ValueError):
    """Saved arrays do not describe a usable state: wrong shapes, non-finite, or not positive definite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A model before its first outcome.

    ``prior`` (d,) is its semantic prior: the expected score of a request with features ``x`` is shifted by
    ``prior @ x`` until outcomes say otherwise. Zeros where nothing is known.
    """

    name: str
    prior: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One outcome of one past choice: reward in [0, 1], weight (trust) in [0, 1].

    ``previous`` is the reward that this one replaces, where a source amends what it said before. ``source`` is a number
    for who told it, 0 for a new outcome that is vouched for; ``weight`` is in proportion to its ``honesty``, in [0, 1].
    """

    arm: str
    features: npt.NDArray[np.float32]
    reward: float
    weight: float = 1.0
    previous: float | None = None
    source: int = 0
    honesty: float = 1.0


class Credit(NamedTuple):
    """How honest sources are held to be now: ``sources`` (N,) in ascending order, ``honesty`` (N,) in [0, 1]."""

    sources: npt.NDArray[np.int64]
    honesty: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A known distribution over a snapshot's arms: probabilities (K,) sum to one, zero where not eligible.

    ``scores`` (K,) are the mean utilities, ``nan`` where not eligible: they rank fallbacks and explain the choice.
    """

    probabilities: Vector
    scores: Vector


class Snapshot(Protocol):
    """An immutable view of a state."""

    @property
    def arms(self) -> tuple[str, ...]:
        """The K arms, in the order of every (K,) array."""

    def propose(
        self,
        features: npt.NDArray[np.float32],
        *,
        eligible: Mask,
        costs: Vector | None = None,
        cost_weight: float = 0.0,
        handicaps: Vector | None = None,
        explore: bool = True,
    ) -> Proposal:
        """Give each eligible arm a probability; ``features`` (d,), ``eligible`` (K,), ``costs`` (K,) the expected
        costs in USD; ``cost_weight`` the reward that the request gives up for one USD; ``handicaps`` (K,) what is taken
        off each arm's utility for this request alone, in units of reward.

        ``explore=False`` puts all mass on the best score (ties share it). Raises ``ValueError`` on non-finite
        features or when no arm is eligible.
        """

    def propose_all(
        self,
        features: npt.NDArray[np.float32],
        *,
        eligible: Mask,
        costs: Vector | None = None,
        cost_weight: float = 0.0,
        handicaps: Vector | None = None,
        explore: bool = True,
    ) -> Proposal:
        """:meth:`propose` for n requests at once: every array has one more, leading, dimension n, in and out."""

    def expected(self, features: npt.NDArray[np.float32]) -> Vector:
        """Each arm's expected reward (n, K) at requests (n, d), whatever it costs and whoever is over a cap."""

    def priced(self, like: Snapshot) -> Snapshot:
        """The same beliefs under another snapshot's prices: share cap, budget, and who is new, by the arms' names."""

    def check(self, *, since: Snapshot | None = None) -> None:
        """Raises :class:`InvalidState` unless all is finite and covariances are positive definite.

        What ``since`` has alike is taken to be sound.
        """


class State(Protocol):
    """What a policy has learned so far; owned by one fold."""

    def add(self, arm: Arm) -> None:
        """Take an arm in; other arms' posteriors stay as they are. A known name gets its new prior mean."""

    def remove(self, name: str) -> None:
        """Forget an arm; unknown names are ignored."""

    def chose(self, name: str) -> None:
        """Count a policy-drawn choice, for the share cap."""

    def paid(self, name: str, usd: float) -> None:
        """Book the realised cost of a policy-drawn choice, for cost estimates and the budget pacer."""

    def learn(self, observation: Observation) -> Alarm | None:
        """Fold one outcome in; the alarm, if it makes evident that its arm is no longer what it was.

        Raises ``ValueError`` on non-finite input; an arm unknown by now is ignored.
        """

    def drifted(self, alarm: Alarm) -> None:
        """Forget, of what was learned, what has changed, and nothing else."""

    def reweigh(self, credit: Credit) -> bool:
        """Let each outcome that was learned count as its source is believed now; whether that changed what is known.

        Where it would change little, nothing changes. Who is not among ``credit`` (N >= 1) is believed as before.
        """

    def snapshot(self) -> Snapshot:
        """Publish: an immutable copy, O(what changed since the last)."""

    def arrays(self) -> Arrays:
        """Everything needed to go on, as named arrays (no pickled objects)."""


class Policy(Protocol):
    """Hyperparameters, all keyword-only and recoverable from ``parameters``."""

    name: ClassVar[str]

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The constructor's arguments, JSON-ready."""

    def start(self, *, dimensions: int, arms: Sequence[Arm]) -> State:
        """A state that knows only the arms' priors; features have ``dimensions`` (d) entries."""

    def load(self, arrays: Arrays) -> State:
        """The state that ``arrays`` saved. Raises :class:`InvalidState`."""
