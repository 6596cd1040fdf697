"""What one holder, a tenant or a key, may take: requests, tokens, requests at once, money."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import msgspec

from gateway.config import UNLIMITED, Limits
from gateway.errors import BudgetExceeded, RateLimited
from gateway.limits.budget import NANO, Budget, Standing
from gateway.limits.ceiling import Ceiling
from gateway.limits.rate import Rate
from gateway.limits.window import Slot

Kind = Literal["key", "tenant"]

#: When a request may try again that was one too many at once, in seconds.
RETRY_AFTER_S = 1.0


class Share(msgspec.Struct, frozen=True):
    """What one request has taken of one quota."""

    quota: Quota
    request: Slot | None
    tokens: Slot | None
    ceiling: Ceiling

    def settle(self, tokens: int) -> None:
        """It is over, and so many tokens were read and written; what was spent is told to the budget apart."""
        self.quota.under_way -= 1
        self.quota.budget.reserve(-self.ceiling.cost)
        if self.tokens is not None:
            self.quota.tokens.settle(self.tokens, tokens - self.ceiling.tokens)

    def undo(self) -> None:
        """It never began."""
        self.settle(0)
        if self.request is not None:
            self.quota.requests.settle(self.request, -1)


class Quota:
    """Nothing in it waits, so what is looked at and then taken is taken at once. ``clock`` is monotonic, in seconds.

    ``budgeted`` is whether money is limited, ``measures`` whether it matters how much a request can take.
    """

    def __init__(self, *, kind: Kind, tenant: str, key: str, budget: Budget, clock: Callable[[], float]) -> None:
        self.kind = kind
        self.tenant = tenant
        self.key = key
        self.budget = budget
        self.requests = Rate(clock=clock)
        self.tokens = Rate(clock=clock)
        self.under_way = 0
        self.set(UNLIMITED)

    def set(self, limits: Limits) -> None:
        """Let there be other limits: what was taken stays taken."""
        self.limits = limits
        self.requests.limit(limits.requests_per_minute)
        self.tokens.limit(limits.tokens_per_minute)
        self.budget.set(limits)
        self.budgeted = self.budget.limited
        self.measures = self.budgeted or limits.tokens_per_minute is not None

    def take(self, ceiling: Ceiling) -> Share:
        """What a request of at most so much needs. Raises :class:`RateLimited`, having taken nothing."""
        most = self.limits.concurrency
        if most is not None and self.under_way >= most:
            raise self._refused("concurrency", f"limit of {most} requests at once is reached", RETRY_AFTER_S)
        if self.budgeted and (standing := self.budget.lacking(ceiling.cost)) is not None:
            raise self._spent(standing, ceiling.cost)
        request = tokens = None
        if self.requests.most is not None and (request := self.requests.take(1)) is None:
            wait = self.requests.room_in(1)
            raise self._refused("requests", f"limit of {self.requests.most} requests a minute is reached", wait)
        if self.tokens.most is not None and (tokens := self.tokens.take(ceiling.tokens)) is None:
            if request is not None:
                self.requests.settle(request, -1)
            raise self._too_long(ceiling.tokens, self.tokens.most)
        self.under_way += 1
        self.budget.reserve(ceiling.cost)
        return Share(self, request, tokens, ceiling)

    def _too_long(self, tokens: int, most: int) -> RateLimited:
        told = f"limit of {most} tokens a minute has no room for this request, which may take {tokens}"
        if tokens > most:
            told += " (say less, or set max_tokens)"
        return self._refused("tokens", told, self.tokens.room_in(tokens))

    def _spent(self, standing: Standing, cost: int) -> RateLimited:
        left = max(0, standing.limit - standing.spent - standing.reserved) / NANO
        told = f"budget of {standing.limit / NANO:.9g} USD a {standing.span} has {left:.9g} left"
        return BudgetExceeded(
            f"The {self.kind}'s {told}, and this request may cost {cost / NANO:.9g}.",
            limit=f"budget_{standing.span}",
            retry_after_s=math.ceil(standing.ends_in),
        )

    def _refused(self, limit: str, told: str, wait_s: float) -> RateLimited:
        return RateLimited(f"The {self.kind}'s {told}.", limit=limit, retry_after_s=math.ceil(wait_s))
