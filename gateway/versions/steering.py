"""What may change what is learned, and by which policy: each a logged event, true for the past as well."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from gateway.controls import control
from gateway.events import (
    EVERYONE,
    Control,
    Event,
    LearningFrozen,
    PolicyChanged,
    ShadowSet,
    StateImported,
)
from gateway.fold import Fold
from gateway.learner import Learner
from gateway.log import Log
from gateway.transaction import Transaction
from gateway.versions.exported import Exported, exported
from gateway.versions.version import name
from gateway.versions.versions import Also
from router_models.policy import InvalidState, Policy


class Refused(ValueError):
    """It cannot be done here; the message says why."""


class Steering:
    """Changes what a running gateway learns. Each method returns the id of the version that it makes, once that is
    what requests go by, and raises :class:`gateway.log.LogUnavailable`.
    """

    def __init__(self, *, log: Log, learner: Learner) -> None:
        self._log = log
        self._learner = learner

    async def freeze(self, frozen: bool = True, *, tenant: str = EVERYONE, also: Also | None = None) -> str:
        """Stop learning, or go on, for one tenant or for everyone; requests are served by what was learned."""
        return await self._write(LearningFrozen(frozen), tenant, also)

    async def change_policy(
        self, policy: str, parameters: Mapping[str, Any] | None = None, *, also: Also | None = None
    ) -> str:
        """Let another policy learn, from all that was said in this feature space.

        Hyperparameters that are not given stay as they are, where that policy has them. Raises :class:`Refused`.
        """
        await self._learner.save()
        fold = self._learner.fold
        chosen = json.dumps(inherited(fold, policy, parameters or {}), sort_keys=True)
        if (policy, chosen) == fold.live:
            raise Refused(f"the policy {policy!r} with these hyperparameters is live already")
        return await self._write(PolicyChanged(fold.lineage, policy, chosen), EVERYONE, also)

    async def shadow(
        self,
        policy: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        canary: float = 0.0,
        also: Also | None = None,
    ) -> str:
        """Let a second policy learn beside the live one, and propose for a share ``canary`` of requests; "" ends it.

        Raises :class:`Refused`.
        """
        fold = self._learner.fold
        if not 0 <= canary <= 0.5:
            raise Refused("a canary's share is from 0 to 0.5")
        chosen = json.dumps(inherited(fold, policy, parameters or {}) if policy else {}, sort_keys=True)
        return await self._write(ShadowSet(fold.lineage, policy, chosen, canary), EVERYONE, also)

    async def bring(
        self, archive: bytes, *, tenant: str, adapt: bool = False, forced: bool = False, also: Also | None = None
    ) -> str:
        """Let a tenant have learned what an exported file holds, in place of what it has learned so far.

        The file must be of this feature space and of the live policy, with models that there are here; ``adapt`` lets
        it differ in hyperparameters, ``forced`` brings it past the gate. Raises :class:`Refused`.
        """
        await self._learner.save()
        await asyncio.to_thread(check, archive, self._learner.fold, adapt=adapt)
        return await self._write(StateImported(archive, forced), tenant, also)

    async def _write(self, event: Event, tenant: str, also: Also | None) -> str:
        def write(transaction: Transaction) -> int:
            if isinstance(event, Control):
                control(transaction, event, tenant=tenant)
            else:
                transaction.append(event, tenant=tenant)
            position = transaction.position
            if also is not None:
                also(transaction)
            return position

        position = await self._log.transact(write)
        await self._learner.settled()
        return name(self._learner.fold.lineage, position)


def inherited(fold: Fold, policy: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """All that the policy is to be made with. Raises :class:`Refused` for a policy or a parameter that there is not."""
    known = _made(fold, policy, parameters).parameters
    kept = {key: value for key, value in json.loads(fold.live.parameters).items() if key in known}
    chosen = {**kept, **parameters}
    _made(fold, policy, chosen)
    return chosen


def check(archive: bytes, fold: Fold, *, adapt: bool) -> Exported:
    """The exported file, if it can be brought in here. Raises :class:`Refused`."""
    try:
        found = exported(archive)
    except InvalidState as error:
        raise Refused(str(error)) from error
    manifest, started, policy = found.manifest, fold.started, fold.policy
    if policy is None:
        raise Refused("nothing can be brought in before the first start")
    if (manifest.embedder, manifest.dimensions) != (started.embedder, started.dimensions):
        raise Refused(
            f"the file is of the feature space {manifest.embedder} with {manifest.dimensions} dimensions; "
            f"here it is {started.embedder} with {started.dimensions}"
        )
    if manifest.policy != fold.live.policy:
        raise Refused(
            f"the file is of the policy {manifest.policy!r}; here {fold.live.policy!r} is live: change it first"
        )
    unknown = sorted(set(manifest.arms) - fold.arms.keys())
    if unknown:
        raise Refused(f"the file knows models that there are not here: {', '.join(unknown)}")
    other = sorted(key for key, value in policy.parameters.items() if manifest.parameters.get(key) != value)
    if other and not adapt:
        raise Refused(
            f"the file was made with other hyperparameters: {', '.join(other)}; ask to adapt it, or set them so"
        )
    try:
        known = policy.load(found.arrays).snapshot().arms
    except InvalidState as error:
        raise Refused(f"the file cannot be used: {error}") from error
    if known != tuple(manifest.arms):
        raise Refused("the file is damaged: its manifest names other models than its arrays, or in another order")
    return found


def _made(fold: Fold, policy: str, parameters: Mapping[str, Any]) -> Policy:
    try:
        return fold.make_policy(policy, **parameters)
    except ValueError as error:
        raise Refused(str(error)) from error
