"""Which version serves, where nothing goes live by itself: asked for by an admin, or found no worse by the log."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

from gateway.events import EVERYONE, PolicyChanged, Promoted
from gateway.gate.comparing import candidate
from gateway.gate.gate import Gate, rules
from gateway.learner import Learner
from gateway.log import Log
from gateway.publication import Published
from gateway.schema import RARE, events
from gateway.transaction import Transaction, read
from gateway.versions.steering import Refused, check
from gateway.versions.version import name, place
from gateway.versions.versions import LIVE, Also
from router_models.gate import Comparison, examine
from router_models.policy import Snapshot


class Promotion:
    """Promotes versions, and says what speaks for them."""

    def __init__(self, *, gate: Gate, log: Log, learner: Learner) -> None:
        self._gate = gate
        self._engine = gate.engine
        self._log = log
        self._learner = learner

    async def declare(self) -> None:
        """Bring the log in line with the configured mode: pin everyone to what serves now, or let go."""
        fold, pins = self._learner.fold, self._gate.pins
        pinned = pins.version(EVERYONE)
        if self._gate.settings.mode == "auto":
            if pins.any:
                await self.write("", tenant=EVERYONE)
        elif not pinned or place(pinned)[0] != fold.lineage:
            await self.write(name(fold.lineage, fold.position), tenant=EVERYONE)

    async def promote(self, version: str, *, tenant: str, force: bool = False, also: Also | None = None) -> str:
        """Let a version serve a tenant's requests; ``live`` is what has been learned by now. Returns its id.

        Raises :class:`Refused` where everything goes live by itself, and for a version that the gate finds fault with
        unless ``force``; :class:`gateway.versions.version.UnknownVersion`.
        """
        if self._gate.settings.mode == "auto":
            raise Refused("what is learned goes live by itself here (routing.gate.mode is auto): roll back instead")
        fold = self._learner.fold
        version = fold.version(tenant) if version == LIVE else version
        lineage, position = place(version)
        if lineage != fold.lineage or not lineage <= position <= fold.position:
            raise Refused(f"there is no version {version!r} in today's feature space, {fold.lineage}")
        if not force:
            state = await asyncio.to_thread(self._gate.pins.state, fold, tenant, version)
            await self._examine(state.snapshot(), tenant, f"version {version!r}")
        await self.write(version, tenant=tenant, also=also)
        return version

    async def write(self, version: str, *, tenant: str, returned: bool = False, also: Also | None = None) -> None:
        """Log that this version serves, and wait until it does; ``returned`` is it where another was taken back."""

        def write(transaction: Transaction) -> None:
            transaction.append(Promoted(version=version, returned=returned), tenant=tenant)
            if also is not None:
                also(transaction)

        await self._log.transact(write)
        await self._learner.settled()

    async def compare(self, proposal: Published, *, tenant: str) -> Comparison | None:
        """A candidate against what serves; ``None`` where nothing can be compared."""
        fold, live, margin = self._learner.fold, self._learner.published(tenant), self._gate.settings.margin
        return await asyncio.to_thread(
            candidate, self._engine, fold, tenant, proposal=proposal, live=live, margin=margin
        )

    async def policy_before(self) -> tuple[str, dict[str, Any]]:
        """The policy that learned before the last change of it, and its hyperparameters."""
        fold = self._learner.fold
        with self._engine.connect() as connection:
            kept = read(connection, RARE, events.c.kind == PolicyChanged.kind, events.c.seq > fold.lineage)
        changes = [record.event for record in kept if isinstance(record.event, PolicyChanged)]
        last = changes[-2] if len(changes) > 1 else fold.started
        return last.policy, json.loads(last.parameters)

    async def check(self, archive: bytes, *, tenant: str, adapt: bool) -> None:
        """Whether the gate lets an exported file through for this tenant. Raises :class:`Refused`."""
        async with self._learner.still() as fold:
            found = await asyncio.to_thread(check, archive, fold, adapt=adapt)
            policy = fold.policy
        assert policy is not None
        state = await asyncio.to_thread(policy.load, found.arrays)
        await self._examine(state.snapshot(), tenant, "this state")

    async def _examine(self, snapshot: Snapshot, tenant: str, what: str) -> None:
        async with self._learner.still() as fold:
            live, owed, evidence = self._learner.published(tenant), rules(fold), self._gate.standing(tenant).evidence
            look = partial(examine, snapshot, trusted=live.snapshot, evidence=evidence, floor=owed.floor, cap=owed.cap)
            found = (await asyncio.to_thread(look)).findings
        if found:
            raise Refused(f"the gate refuses {what}: {found[0].message}; 'force' brings it in all the same")
