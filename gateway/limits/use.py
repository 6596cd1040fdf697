"""How far limits are used, as admins are shown it."""

from __future__ import annotations

import msgspec

from gateway.limits.budget import NANO, Budget
from gateway.limits.quota import Quota


class Use(msgspec.Struct):
    """Requests under way; requests and tokens that fit now, where that is limited; USD spent in this day and month.

    ``usd_reserved`` is set aside for what is under way.
    """

    usd_today: float
    usd_this_month: float
    usd_reserved: float = 0.0
    under_way: int = 0
    requests_left: int | None = None
    tokens_left: int | None = None

    @classmethod
    def of(cls, budget: Budget, quota: Quota | None) -> Use:
        """What is taken of a holder's limits."""
        today, month = budget.spent("day") / NANO, budget.spent("month") / NANO
        if quota is None:
            return cls(today, month)
        return cls(
            today,
            month,
            usd_reserved=budget.reserved / NANO,
            under_way=quota.under_way,
            requests_left=None if quota.requests.most is None else quota.requests.left,
            tokens_left=None if quota.tokens.most is None else quota.tokens.left,
        )
