"""Where a model stands: what an admin lets it do."""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["active", "disabled", "draining", "shadow", "canary"]


class Standing(NamedTuple):
    """``active`` models are drawn, and answer to their names. A ``canary`` may be drawn for its ``share`` of requests
    alone, by lot. A ``shadow`` is never drawn; who names it is answered, and that teaches about it. One that is
    ``draining`` takes nothing new and finishes what it began, conversations too; one that is ``disabled`` is not there
    for clients.
    """

    state: State = "active"
    share: float = 1.0

    @property
    def drawn(self) -> bool:
        """Whether the policy may choose it."""
        return self.state in ("active", "canary")

    @property
    def named(self) -> bool:
        """Whether clients may name it."""
        return self.state in ("active", "canary", "shadow")


ACTIVE, DISABLED = Standing(), Standing("disabled")
