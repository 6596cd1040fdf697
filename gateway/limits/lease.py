"""What one request holds of its key's and its tenant's limits, from its admission to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from gateway.http import Header
from gateway.limits.budget import Standing
from gateway.limits.quota import Quota, Share
from gateway.limits.rate import Rate
from gateway.request import Reading, with_longest

#: Whose budget is past its soft stop, and how it stands.
Strain = tuple[Quota, Standing]

#: The header that tells of a budget past its soft stop.
WARNING = b"x-polyculture-budget-warning"


class Lease:
    """Given back once, however the request ends."""

    __slots__ = ("_answer_tokens", "_held", "_quotas", "_shares", "strained")

    def __init__(
        self, *, quotas: Sequence[Quota], shares: Sequence[Share], strained: list[Strain], answer_tokens: int | None
    ) -> None:
        self._quotas = quotas
        self._shares = shares
        self._held = True
        self._answer_tokens = answer_tokens
        self.strained = strained

    @property
    def soft_model(self) -> str:
        """What ``auto`` means now that a budget is past its soft stop; empty where it means what it says."""
        return soft_model(self.strained)

    @property
    def budgeted(self) -> bool:
        """Whether it is about money: then what it cost must be on disk before anybody has its answer."""
        return any(quota.budgeted for quota in self._quotas)

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
        found = told(self._quotas, anthropic=anthropic)
        if self.strained:
            _, standing = max(self.strained, key=_share)
            found.append((WARNING, b"%.0f%% of the budget of the %s" % (standing.share * 100, standing.span.encode())))
        return found


def strained(quotas: Sequence[Quota]) -> list[Strain]:
    """Those whose budget is past its soft stop."""
    return [(each, found) for each in quotas if each.budgeted and (found := each.budget.strained()) is not None]


def soft_model(strained: Sequence[Strain]) -> str:
    """What ``auto`` means for them; empty where it means what it says."""
    return next((quota.limits.soft_model for quota, _ in strained if quota.limits.soft_model), "")


def _share(strained: Strain) -> float:
    return strained[1].share


def told(quotas: Sequence[Quota], *, anthropic: bool) -> list[Header]:
    """How the limits of requests and tokens stand: of each kind the one with the least left."""
    requests = tokens = None
    for quota in quotas:
        requests, tokens = _least(requests, quota.requests), _least(tokens, quota.tokens)
    (of_requests, of_tokens), written = (_ANTHROPIC, moment) if anthropic else (_OPENAI, duration)
    found = [] if requests is None else _spelt(of_requests, requests, written)
    return found if tokens is None else found + _spelt(of_tokens, tokens, written)


def _least(found: tuple[int, float, int] | None, rate: Rate) -> tuple[int, float, int] | None:
    if rate.most is None:
        return found
    return rate.standing() if found is None else min(found, rate.standing())


def _spelt(names: Sequence[bytes], standing: tuple[int, float, int], written: Callable[[float], bytes]) -> list[Header]:
    limit, remaining, reset = names
    left, reset_in, most = standing
    return [(limit, b"%d" % most), (remaining, b"%d" % left), (reset, written(reset_in))]


_KINDS, _TOLD = (b"requests", b"tokens"), (b"limit", b"remaining", b"reset")
_OPENAI = [[b"x-ratelimit-%s-%s" % (what, kind) for what in _TOLD] for kind in _KINDS]
_ANTHROPIC = [[b"anthropic-ratelimit-%s-%s" % (kind, what) for what in _TOLD] for kind in _KINDS]


def moment(seconds: float) -> bytes:
    """So many seconds from now, as Anthropic writes it: RFC 3339."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ").encode()


def duration(seconds: float) -> bytes:
    """As OpenAI writes it: ``17ms``, ``1s``, ``6m0s``."""
    return b"%dms" % round(seconds * 1000) if seconds < 1 else _whole(round(seconds))


@lru_cache
def _whole(seconds: int) -> bytes:
    minutes, rest = divmod(seconds, 60)
    return b"%dm%ds" % (minutes, rest) if minutes else b"%ds" % rest
