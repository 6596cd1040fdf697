"""What one request holds of its key's and its tenant's limits, from its admission to its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateway.http import Header
from gateway.limits.budget import Standing
from gateway.limits.quota import Quota, Share
from gateway.limits.rate import Rate
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
    for kind, rates in (
        ("requests", [quota.requests for quota in quotas if quota.requests.most is not None]),
        ("tokens", [quota.tokens for quota in quotas if quota.tokens.most is not None]),
    ):
        if rates:
            found += spell(kind, min(rates, key=_left) if len(rates) > 1 else rates[0])
    return found


def _left(rate: Rate) -> int:
    return rate.left


def _openai(kind: str, rate: Rate) -> list[Header]:
    name = kind.encode()
    return [
        (b"x-ratelimit-limit-" + name, b"%d" % (rate.most or 0)),
        (b"x-ratelimit-remaining-" + name, b"%d" % rate.left),
        (b"x-ratelimit-reset-" + name, duration(rate.reset_in)),
    ]


def _anthropic(kind: str, rate: Rate) -> list[Header]:
    name = b"anthropic-ratelimit-" + kind.encode()
    reset = datetime.now(UTC) + timedelta(seconds=rate.reset_in)
    return [
        (name + b"-limit", b"%d" % (rate.most or 0)),
        (name + b"-remaining", b"%d" % rate.left),
        (name + b"-reset", reset.strftime("%Y-%m-%dT%H:%M:%SZ").encode()),
    ]


def duration(seconds: float) -> bytes:
    """As OpenAI writes it: ``17ms``, ``1s``, ``6m0s``."""
    if seconds < 1:
        return b"%dms" % round(seconds * 1000)
    minutes, rest = divmod(round(seconds), 60)
    return b"%dm%ds" % (minutes, rest) if minutes else b"%ds" % rest
