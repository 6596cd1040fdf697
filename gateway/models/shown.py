"""Models as admins see them: the card, where it comes from, where it stands, and how it is doing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from gateway.database import look
from gateway.governance.identity import names
from gateway.keys import DEFAULT_TENANT
from gateway.learner import Learner
from gateway.metrics import Metrics
from gateway.models import revisions
from gateway.models.entry import Entry
from gateway.models.figures import Figures, figures, rewards, samples
from gateway.models.revisions import Revision
from gateway.registry import Registry


class ModelShown(msgspec.Struct):
    """A model. ``origin`` is ``file``, ``specialist`` (the built-in demo's) or ``api``; ``note`` tells what is amiss.

    ``share`` is a canary's largest part of the routed requests. ``created`` and ``changed`` (microseconds since the
    epoch) are of what admins said of it. ``etag`` names this version.
    """

    id: str
    object: Literal["model"]
    origin: str
    state: str
    share: float
    note: str
    created: int | None
    changed: int | None
    etag: str
    card: dict[str, Any]
    figures: Figures


class RevisionShown(msgspec.Struct):
    """What was said of a model, when (microseconds since the epoch), and by whom.

    ``actor`` is the pseudonym of the audit log, ``name`` whom it stands for, where that can still be told. ``state`` is
    ``None`` where the card decides, ``card`` where none is declared by the API.
    """

    revision: int
    at: int
    actor: str
    name: str | None
    change: str
    state: str | None
    share: float | None
    card: dict[str, Any] | None


class Display:
    """Shows models."""

    def __init__(self, *, registry: Registry, learner: Learner, metrics: Metrics, engine: sa.Engine) -> None:
        self._registry = registry
        self._learner = learner
        self._metrics = metrics
        self._engine = engine

    def models(self, entries: Iterable[Entry]) -> list[ModelShown]:
        """These, with their figures of this moment."""
        snapshot = self._learner.published(DEFAULT_TENANT).snapshot
        expected = rewards(snapshot, dimensions=self._learner.fold.started.dimensions)
        counted = samples(self._metrics)
        found = []
        for entry in entries:
            model = self._registry.get(entry.card.id)
            assert model is not None
            said = entry.revision
            shown = ModelShown(
                id=model.id,
                object="model",
                origin=entry.origin,
                state=model.standing.state,
                share=model.standing.share,
                note=_note(entry),
                created=None if said is None else said.created,
                changed=None if said is None else said.at,
                etag=entry.etag,
                card=entry.card.model_dump(mode="json"),
                figures=figures(model, counted=counted, expected=expected),
            )
            found.append(shown)
        return found

    async def history(self, model: str, *, before: int | None, limit: int) -> list[RevisionShown]:
        """A model's revisions, newest first."""

        def read(connection: sa.Connection) -> list[RevisionShown]:
            known = names(connection)
            found = revisions.history(connection, model, before=before, limit=limit)
            return [_revision(each, known.get(each.actor)) for each in found]

        return await look(self._engine, read)


def _note(entry: Entry) -> str:
    if entry.fault:
        return f"cannot be used: {entry.fault}"
    return "a card by the API has the same id: the file's is used" if entry.hides else ""


def _revision(said: Revision, name: str | None) -> RevisionShown:
    standing = said.standing
    return RevisionShown(
        revision=said.seq,
        at=said.at,
        actor=said.actor,
        name=name,
        change=said.change,
        state=None if standing is None else standing.state,
        share=None if standing is None else standing.share,
        card=msgspec.json.decode(said.card) if said.card else None,
    )
