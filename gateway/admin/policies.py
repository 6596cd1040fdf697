"""The policy that learns: changed once the log speaks for it, and tried out beside the live one."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import msgspec

from gateway.admin.orders import Ordering, told
from gateway.aside import AsideFailed, aside
from gateway.errors import RateLimited, Unprocessable
from gateway.judgement import Judgement
from gateway.keys import Principal
from gateway.operations import Nothing, get, post
from gateway.service import Service
from gateway.versions.steering import inherited

#: How many of the latest decisions a policy is judged by.
LAST = 20_000

PolicyName = Annotated[str, msgspec.Meta(max_length=100)]


class PolicyAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which policy is to learn, with which hyperparameters in place of those that hold; ``force`` asks no log."""

    policy: PolicyName
    parameters: dict[str, Any] = {}
    force: bool = False


class PolicyDone(msgspec.Struct):
    """The version that the change made, and what the log said of it where it was asked."""

    version: str
    policy: str
    parameters: dict[str, Any]
    judgement: Judgement | None


class ShadowAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which policy is to learn beside the live one, and its share of requests; an empty one ends it."""

    policy: PolicyName
    parameters: dict[str, Any] = {}
    canary: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.0


class ShadowDone(msgspec.Struct):
    """The version that the change made."""

    version: str


class Standing(msgspec.Struct):
    """A tenant's router: its version, the feedback that counted for it, and whether it learns."""

    tenant: str
    version: str
    lessons: int
    frozen: bool


class RouterStatus(msgspec.Struct):
    """Everything at a glance. ``waiting`` counts events that are committed and not folded yet."""

    position: int
    lineage: int
    embedder: str
    policy: str
    parameters: dict[str, Any]
    shadow: str | None
    frozen: bool
    waiting: int
    arms: list[str]
    tenants: list[Standing]


class Policies(Ordering):
    """``/admin/v1/router/policy``, ``/shadow`` and ``/status``. One policy at a time is judged."""

    def __init__(self, *, service: Service) -> None:
        super().__init__(service=service)
        self._judging = asyncio.Lock()

    @post(
        "/admin/v1/router/policy",
        "Let another policy learn, if the log speaks for it",
        asked=PolicyAsked,
        answer=PolicyDone,
        errors="422 429 503",
    )
    async def change(self, principal: Principal, asked: PolicyAsked) -> PolicyDone:
        """From all that was said; refused, with the figures, unless the log shows it to be no worse."""
        with told():
            parameters = inherited(self._service.learner.fold, asked.policy, asked.parameters)
            judgement = None if asked.force else await self._judged(asked.policy, parameters)
            note = self._noted(
                principal, "router.policy", policy=asked.policy, parameters=parameters, forced=asked.force
            )
            version = await self._steering.change_policy(asked.policy, asked.parameters, also=note)
        return PolicyDone(version, asked.policy, parameters, judgement)

    @post(
        "/admin/v1/router/shadow",
        "Let a second policy learn beside the live one",
        asked=ShadowAsked,
        answer=ShadowDone,
        errors="422 503",
    )
    async def shadow(self, principal: Principal, asked: ShadowAsked) -> ShadowDone:
        """It proposes for its share of requests, for none as a rule."""
        note = self._noted(principal, "router.shadow", **msgspec.structs.asdict(asked))
        with told():
            version = await self._steering.shadow(asked.policy, asked.parameters, canary=asked.canary, also=note)
        return ShadowDone(version)

    @get("/admin/v1/router/status", "Show the router at a glance", answer=RouterStatus)
    async def status(self, principal: Principal, asked: Nothing) -> RouterStatus:
        """What learns, and how far it is."""
        learner = self._service.learner
        fold = learner.fold
        return RouterStatus(
            position=fold.position,
            lineage=fold.lineage,
            embedder=fold.started.embedder,
            policy=fold.live.policy,
            parameters=json.loads(fold.live.parameters),
            shadow=None if fold.second is None else fold.second.policy,
            frozen=fold.frozen,
            waiting=learner.lag,
            arms=sorted(fold.arms),
            tenants=[
                Standing(tenant, learner.published(tenant).version, state.lessons, fold.is_frozen(tenant))
                for tenant, state in sorted(fold.states.items())
            ],
        )

    async def _judged(self, policy: str, parameters: dict[str, Any]) -> Judgement:
        """What the log says of a policy, which speaks for it. Raises :class:`Unprocessable`, and RateLimited."""
        if self._judging.locked():
            raise RateLimited("Another policy is being judged; ask again when that is done.", retry_after_s=10)
        settings = [f"{name}={json.dumps(value)}" for name, value in parameters.items() if name != "budget"]
        asking = [word for setting in settings for word in ("--set", setting)]
        folder = str(self._service.settings.data_dir)
        async with self._judging:
            try:
                output = await aside(
                    "router", "evaluate", "--policy", policy, *asking,
                    "--last", str(LAST), "--json", "--data-dir", folder,
                )  # fmt: skip
            except AsideFailed as error:
                raise Unprocessable(f"The policy cannot be judged by the log: {error}.") from None
        judgement = msgspec.json.decode(output, type=Judgement)
        if judgement.verdict != "promote":
            raise Unprocessable(f"{figures(judgement)} 'force' changes it all the same.", param="policy")
        return judgement


def figures(judgement: Judgement) -> str:
    """What a judgement that speaks against a policy says, in a sentence."""
    counted = f"{judgement.decisions} decisions with feedback"
    if judgement.difference is None:
        return f"The log has {counted} to judge by, which is too few."
    gap = judgement.difference
    said = f"{gap.value:+.4f} (95 %: {gap.low:+.4f} to {gap.high:+.4f})"
    return f"By {counted}, it would have earned {said} against what served: it is not shown to be no worse."
