"""What the gate found, for the keeper to act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.publication import Published
from router_models.alarm import Alarm
from router_models.gate import Finding

#: How a version came to be tried: by learning, by being brought in or promoted, by another policy.
Cause = Literal["learned", "imported", "promoted", "policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A candidate was not let through; ``live`` goes on serving."""

    tenant: str
    candidate: str
    live: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """A version was found worse than ``trusted`` after so many ``outcomes``, which serves again by now."""

    tenant: str
    live: str
    trusted: str
    cause: Cause
    outcomes: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """There are ``outcomes`` enough since a candidate was proposed to compare it with what is live."""

    tenant: str
    candidate: Published
    outcomes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """Something is no longer what it was, by what came at ``position``."""

    tenant: str
    position: int
    alarm: Alarm


Act = Refused | Fallen | Due | Drifted
