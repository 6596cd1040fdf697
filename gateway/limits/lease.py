"""What one request holds of its key's and its tenant's limits, from its admission to its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateway.http import Header
from gateway.limits.budget import Standing
from gateway.limits.quota import Quota, Share
from gateway.request import Reading, with_longest

#: The header that tells of a budget past its soft stop.
WARNING = b"x-polyculture-budget-warning"


class Lease:
    """Given back once, however the request ends."""

    def __init__(self, *, shares: Sequence[Share], answer_tokens: int | None) -> None:
        self._shares = shares
        self._held = True
        self._answer_tokens = answer_tokens
        self.strained = [(s.quota, found) for s in shares if (found := s.quota.budget.strained()) is not None]

    @property
    def soft_model(self) -> str:
        """What ``auto`` means now that a budget is past its soft stop; empty where it means what it says."""
        return next((quota.limits.soft_model for quota, _ in self.strained if quota.limits.soft_model), "")

    @property
    def budgeted(self) -> bool:
        """Whether it is about money: then what it cost must be on disk before anybody has its answer."""
        return any(share.quota.budget.limited for share in self._shares)

    def bounded(self, reading: Reading, body: bytes) -> bytes:
        """The request as it is sent: for no longer an answer than the limits let it be."""
        if self._answer_tokens is None or reading.endpoint != "chat":
            return body
        asked = reading.tokens - reading.prompt_tokens
        return body if 0 < asked <= self._answer_tokens else with_longest(body, self._answer_tokens)

    def settle(self, tokens: int) -> None:
        """The request is over, and so many tokens were read and written."""
        if self._held:
            self._held = False
            for share in self._shares:
                share.settle(tokens)

    def headers(self, *, anthropic: bool) -> list[Header]:
        """How the limits stand, in OpenAI's names and forms, or in Anthropic's."""
        found = told([share.quota for share in self._shares], anthropic=anthropic)
        if self.strained:
            _, standing = max(self.strained, key=_share)
            found.append((WARNING, b"%.0f%% of the budget of the %s" % (standing.share * 100, standing.span.encode())))
        return found


def _share(strained: tuple[Quota, Standing]) -> float:
    return strained[1].share


def told(quotas: Sequence[Quota], *, anthropic: bool) -> list[Header]:
    """How the limits of requests and tokens stand: of each kind the one with the least left."""
    found: list[Header] = []
    spell = _anthropic if anthropic else _openai
    for kind, rates in ((b"requests", [q.requests for q in quotas]), (b"tokens", [q.tokens for q in quotas])):
        standings = [rate.standing() for rate in rates if rate.most is not None]
        if standings:
            found += spell(kind, min(standings) if len(standings) > 1 else standings[0])
    return found


def _openai(kind: bytes, standing: tuple[int, float, int]) -> list[Header]:
    left, reset_in, most = standing
    return [
        (b"x-ratelimit-limit-" + kind, b"%d" % most),
        (b"x-ratelimit-remaining-" + kind, b"%d" % left),
        (b"x-ratelimit-reset-" + kind, duration(reset_in)),
    ]


def _anthropic(kind: bytes, standing: tuple[int, float, int]) -> list[Header]:
    left, reset_in, most = standing
    reset = datetime.now(UTC) + timedelta(seconds=reset_in)
    return [
        (b"anthropic-ratelimit-" + kind + b"-limit", b"%d" % most),
        (b"anthropic-ratelimit-" + kind + b"-remaining", b"%d" % left),
        (b"anthropic-ratelimit-" + kind + b"-reset", reset.strftime("%Y-%m-%dT%H:%M:%SZ").encode()),
    ]


def duration(seconds: float) -> bytes:
    """As OpenAI writes it: ``17ms``, ``1s``, ``6m0s``."""
    if seconds < 1:
        return b"%dms" % round(seconds * 1000)
    minutes, rest = divmod(round(seconds), 60)
    return b"%dm%ds" % (minutes, rest) if minutes else b"%ds" % rest
