"""What all events have in common."""

from __future__ import annotations

from typing import ClassVar

import msgspec

#: The tenant of events that concern every tenant.
EVERYONE = ""

#: The tenant that stands for all who contribute to the pool; no real one can be called so.
POOL = "*"


class Event(msgspec.Struct, frozen=True, array_like=True):
    """Base of all events; ``kind`` names the type in the log."""

    kind: ClassVar[str]
