"""Changing which models there are while requests go on: in the database, the log and the registry, one at a time.

A change is durable, and routing knows of it, before it is answered; requests under way at a model that changed or left
end as they began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from gateway.config import ConfigurationError, ModelCard
from gateway.errors import BadRequest, Conflict, ModelNotFound, Outdated, VersionRequired
from gateway.events import EVERYONE, ArmRemoved
from gateway.governance.audit import Audit
from gateway.governance.identity import Identity
from gateway.learner import Learner
from gateway.lineage import arm
from gateway.log import Log
from gateway.models import revisions
from gateway.models.documents import addressable, card_of, patched
from gateway.models.entry import Entry, keyless, written
from gateway.models.revisions import Change, Revision
from gateway.models.standing import DISABLED, Standing
from gateway.providers.library import required
from gateway.registry import Model, Registry
from gateway.space import Space
from gateway.transaction import Transaction

_logger = structlog.get_logger("polyculture.models")

#: Longest wait for routing to know of a change, in seconds; it comes in any case.
PATIENCE_S = 10.0


#: Models, each beside what declares it.
Stock = list[tuple[Entry, Model]]


class Registrar:
    """``entries`` are all models as they are declared, ``specialists`` the cards of the built-in ones.

    ``provided`` is called when one needs litellm.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        space: Space,
        log: Log,
        learner: Learner,
        audit: Audit,
        specialists: Sequence[ModelCard],
        provided: Callable[[], None],
    ) -> None:
        self.entries: dict[str, Entry] = {}
        self.changing = asyncio.Lock()
        self.registry = registry
        self.space = space
        self.specialists = specialists
        self._log = log
        self._learner = learner
        self._audit = audit
        self._provided = provided

    def get(self, name: str) -> Entry:
        """A model as it is declared. Raises :class:`ModelNotFound`."""
        entry = self.entries.get(name)
        if entry is None:
            raise ModelNotFound("There is no such model here; GET /admin/v1/models lists them.", param="id")
        return entry

    async def create(self, document: dict[str, Any], *, standing: Standing, actor: Identity) -> Entry:
        """A model that was not there. Raises :class:`BadRequest`, or :class:`Conflict` where its id is taken."""
        card = addressable(card_of(document))
        async with self.changing:
            if card.id in self.entries:
                raise Conflict(f"There is a model {card.id!r} already: PATCH changes it.", param="id")
            return await self._place(Entry(card, "api"), "create", standing=standing, actor=actor)

    async def edit(self, name: str, patch: dict[str, Any], *, match: str | None, actor: Identity) -> Entry:
        """Change a model's card by a merge patch (RFC 7396). Raises :class:`BadRequest` and kin."""
        async with self.changing:
            entry = self._own(name, match)
            card = patched(entry.card, patch)
            return await self._place(entry._replace(card=card), "edit", actor=actor)

    async def stand(self, name: str, standing: Standing, *, match: str | None, actor: Identity) -> Entry:
        """Let a model stand so from the next request on. Raises :class:`Conflict` where its card disables it."""
        async with self.changing:
            entry = self.get(name)
            _meant(entry, match)
            if not entry.card.enabled and standing != DISABLED:
                if entry.origin != "api":
                    raise Conflict(
                        "Its card says `enabled: false`, and stands in the configuration file: change it there."
                    )
                entry = entry._replace(card=entry.card.model_copy(update={"enabled": True}))
            return await self._place(entry, "state", standing=standing, actor=actor)

    async def remove(self, name: str, *, match: str | None, actor: Identity) -> Entry:
        """Take a model out; its history stays. The entry as it was."""
        async with self.changing:
            entry = self._own(name, match)

            def write(transaction: Transaction) -> None:
                transaction.append(ArmRemoved(name=name), tenant=EVERYONE)
                self._written(transaction, entry, "delete", actor=actor, standing=None, card="")

            await self._log.transact(write)
            del self.entries[name]
            self.registry.remove(name)
            await self._learner.settled(within_s=PATIENCE_S)
            return entry

    def prepared(self, entries: Mapping[str, Entry]) -> Stock:
        """All of these, ready to be asked. One by the API that cannot be used is disabled; any other raises
        :class:`ConfigurationError`.
        """
        return [self._stocked(entry) for entry in entries.values()]

    def take(self, stock: Stock) -> None:
        """Let these be all models."""
        self.registry.arrange(model for _, model in stock)
        self.entries = {entry.card.id: entry for entry, _ in stock}

    def _stocked(self, entry: Entry) -> tuple[Entry, Model]:
        try:
            return entry, self._made(entry.card, entry.standing)
        except ConfigurationError as error:
            if entry.origin != "api":
                raise
            _logger.error("card_unusable", model=entry.card.id, reason=str(error))
            return entry._replace(fault=str(error)), self.registry.made(keyless(entry.card), DISABLED)

    def _own(self, name: str, match: str | None) -> Entry:
        """An entry that may be edited here, in the version that is meant."""
        entry = self.get(name)
        if entry.origin == "file":
            raise Conflict(f"The model {name!r} is declared in the configuration file: edit it there, and reload.")
        if entry.origin == "specialist":
            raise Conflict(f"The model {name!r} is built in: `overrides` in the configuration file change its card.")
        if match is None:
            raise VersionRequired("Send If-Match with the ETag of the version that you mean, or with * for any.")
        _meant(entry, match)
        return entry

    async def _place(self, entry: Entry, change: Change, *, actor: Identity, standing: Standing | None = None) -> Entry:
        """Put a model in, or in the place of the one before it."""
        name = entry.card.id
        standing = entry.standing if standing is None else standing
        try:
            model, before = self._made(entry.card, standing), self.registry.get(name)
        except ConfigurationError as error:
            raise BadRequest(f"{error}.", param="upstream") from error
        new = before is None or before.semantics != model.semantics
        event = await asyncio.to_thread(arm, self.space, model) if new else None

        def write(transaction: Transaction) -> Revision:
            if event is not None:
                transaction.append(event, tenant=EVERYONE)
            return self._written(transaction, entry, change, actor=actor, standing=standing)

        revision = await self._log.transact(write)
        self.entries[name] = entry = entry._replace(revision=revision, fault="")
        self.registry.put(model)
        if event is not None:
            await self._learner.settled(within_s=PATIENCE_S)
        return entry

    def _written(
        self,
        transaction: Transaction,
        entry: Entry,
        change: Change,
        *,
        actor: Identity,
        standing: Standing | None,
        card: str | None = None,
    ) -> Revision:
        """Write a revision, and the audit log's entry of it."""
        said = entry.revision
        if card is None:
            card = written(entry.card) if entry.origin == "api" else "" if said is None else said.card
        revision = revisions.add(
            transaction,
            model=entry.card.id,
            actor=actor,
            change=change,
            card=card,
            standing=standing,
            created=None if said is None else said.created,
        )
        detail = {"model": entry.card.id, "revision": revision.seq, **({} if standing is None else standing._asdict())}
        self._audit.record(transaction, actor=actor, action=f"model.{change}", detail=detail)
        return revision

    def _made(self, card: ModelCard, standing: Standing) -> Model:
        if card.upstream.kind == "litellm":
            required()
            self._provided()
        return self.registry.made(card, standing)


def _meant(entry: Entry, match: str | None) -> None:
    """Whether a change is meant for this version (RFC 9110, 13.1.1). Raises :class:`Outdated`."""
    if match is not None and match.strip() != "*" and entry.etag not in (each.strip() for each in match.split(",")):
        raise Outdated("The model was changed since: look at it again, and send its new ETag.")
