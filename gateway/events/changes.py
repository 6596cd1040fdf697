"""Events that change what is learned with: arms, space, policy, tenants' states."""

from __future__ import annotations

from gateway.events.event import Event


class ArmSet(Event, frozen=True):
    """A model joined, or its card's meaning changed: ``prior`` (d,) float64, ``digest`` of the texts behind it."""

    kind = "arm_set"
    name: str
    prior: bytes
    digest: str


class ArmRemoved(Event, frozen=True):
    """A model left; its history stays in the log."""

    kind = "arm_removed"
    name: str


class LineageStarted(Event, frozen=True):
    """A new feature space or policy: nothing learned before applies. ``parameters`` is JSON."""

    kind = "lineage_started"
    embedder: str
    dimensions: int
    policy: str
    parameters: str


class PolicyTuned(Event, frozen=True):
    """The policy's hyperparameters changed; what was learned goes on under the new ones. ``parameters`` is JSON."""

    kind = "policy_tuned"
    parameters: str


class TrustTuned(Event, frozen=True):
    """How feedback is judged from here on; ``parameters`` is JSON, empty for not at all. ``keys`` are judged too, or
    end users alone.
    """

    kind = "trust_tuned"
    parameters: str
    keys: bool


class LearningFrozen(Event, frozen=True):
    """Learning stopped (or went on), for the record's tenant: feedback is kept, and not folded while frozen."""

    kind = "learning_frozen"
    frozen: bool


class Promoted(Event, frozen=True):
    """From here on this version serves, until another does; "" lets what is learned go live by itself again.

    ``returned`` says that it served before, and that what came in between was taken back.
    """

    kind = "promoted"
    version: str
    returned: bool = False


class PoolJoined(Event, frozen=True):
    """From here on the tenant's lessons teach the pool too (``contributes``), or its state begins as the pool's."""

    kind = "pool_joined"
    contributes: bool
    consumes: bool


class VectorsSettled(Event, frozen=True):
    """From here on ``model`` makes the tenant's vectors, where ``auto`` or ``auto:<preference>`` is asked for them."""

    kind = "vectors_settled"
    preference: str
    model: str


class StateImported(Event, frozen=True):
    """From here on the tenant has learned what ``archive`` holds, and nothing else; ``forced`` past the gate."""

    kind = "state_imported"
    archive: bytes
    forced: bool = False


class Checkpoint(Event, frozen=True):
    """Stands for all events of the tenant before it, which have been dropped; ``archive`` is its state after them."""

    kind = "checkpoint"
    archive: bytes
