"""The models: declared, changed and taken out while the gateway runs, and how each one is doing."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from gateway.config import Endpoint, ModelCard
from gateway.decoding import decode
from gateway.errors import BadRequest, Unprocessable
from gateway.governance.identity import Identity
from gateway.keys import Principal
from gateway.models.entry import Entry, Origin
from gateway.models.shown import Display, ModelShown, RevisionShown
from gateway.models.standing import Standing, State
from gateway.models.suggestions import lacking
from gateway.models.tester import TESTABLE, Tested, Tester
from gateway.operations import Group, delete, get, patch, post
from gateway.service import Service

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Match = Annotated[str, msgspec.Meta(max_length=1000)] | None

_object = msgspec.json.Decoder(dict[str, Any])


class CardGiven(msgspec.Struct, forbid_unknown_fields=True):
    """A new model's card, and where it is to stand; to ``probe`` it is to call it once when it is there."""

    data: bytes
    state: State = "active"
    share: Share | None = None
    probe: bool = False


class ModelPage(msgspec.Struct, forbid_unknown_fields=True):
    """Which models: those past ``after``, by id, and of these only some."""

    after: str = ""
    limit: Count = 100
    state: State | None = None
    origin: Origin | None = None
    endpoint: Endpoint | None = None
    tag: str = ""


class ModelList(msgspec.Struct):
    """A page of models; ``next`` is what the following page is asked ``after``."""

    data: list[ModelShown]
    has_more: bool
    next: str | None


class ModelAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which model."""

    id: Name


class ModelMeant(msgspec.Struct, forbid_unknown_fields=True):
    """Which model, in which version: one of the ETags in ``if_match``, or any for ``*``."""

    id: Name
    if_match: Match = None


class PatchGiven(msgspec.Struct, forbid_unknown_fields=True):
    """What to change of a model's card, as a merge patch."""

    id: Name
    data: bytes
    if_match: Match = None


class ModelCreated(ModelShown):
    """A new model. ``suggested`` are fields that its card leaves out, as litellm's own list has them: to look at, they
    are not used. ``test`` is what came of the call, where one was asked for.
    """

    suggested: dict[str, Any]
    test: Tested | None


class ModelRemoved(msgspec.Struct):
    """A model that is no more."""

    id: str
    deleted: bool


class HistoryPage(msgspec.Struct, forbid_unknown_fields=True):
    """Which of a model's revisions: those before one, newest first."""

    id: Name
    before: Annotated[int, msgspec.Meta(ge=1, le=2**62)] | None = None
    limit: Count = 20


class ModelHistory(msgspec.Struct):
    """A page of revisions."""

    data: list[RevisionShown]
    has_more: bool


def standing(state: State, share: float | None) -> Standing:
    """Where a model is to stand. Raises :class:`BadRequest`."""
    if (state == "canary") != (share is not None):
        raise BadRequest("A canary, and nothing else, has a share.", param="share")
    return Standing(state, share or 1.0)


class OfModels(Group):
    """What shows models, changes and calls them."""

    def __init__(self, *, service: Service) -> None:
        super().__init__(service=service)
        self._registrar = service.registrar
        self._tester = Tester.over(service.client)
        self._display = Display(
            registry=service.registry, learner=service.learner, metrics=service.metrics, engine=service.engine
        )

    def _shown(self, entry: Entry) -> ModelShown:
        return self._display.models([entry])[0]


class Modelling(OfModels):
    """``/admin/v1/models``."""

    @post(
        "/admin/v1/models",
        "Add a model",
        asked=CardGiven,
        body=ModelCard,
        answer=ModelCreated,
        status=201,
        errors="409 422 503",
    )
    async def create(self, principal: Principal, asked: CardGiven) -> ModelCreated:
        """From the next request on."""
        document = decode(_object, asked.data)
        if asked.probe and document.get("endpoint", "chat") not in TESTABLE:
            raise Unprocessable("Only models for chat and embeddings can be called to probe them.", param="probe")
        wanted = standing(asked.state, asked.share)
        entry = await self._registrar.create(document, standing=wanted, actor=Identity.of(principal))
        model = self._service.registry.get(entry.card.id)
        test = await self._tester.test(model) if asked.probe and model is not None else None
        shown = msgspec.structs.asdict(self._shown(entry))
        return ModelCreated(**shown, suggested=await lacking(entry.card), test=test)

    @get("/admin/v1/models", "List all models as they are declared", asked=ModelPage, answer=ModelList)
    async def page(self, principal: Principal, asked: ModelPage) -> ModelList:
        """By id."""
        entries = self._registrar.entries
        found = [entry for name, entry in sorted(entries.items()) if name > asked.after and self._wanted(entry, asked)]
        page, more = found[: asked.limit], len(found) > asked.limit
        return ModelList(self._display.models(page), more, page[-1].card.id if more else None)

    @get(
        "/admin/v1/models/{id:path}/history",
        "Show what was changed of a model, when, and by whom",
        asked=HistoryPage,
        answer=ModelHistory,
        errors="404",
    )
    async def history(self, principal: Principal, asked: HistoryPage) -> ModelHistory:
        """Models that are no more have one too."""
        found = await self._display.history(asked.id, before=asked.before, limit=asked.limit + 1)
        if not found:
            self._registrar.get(asked.id)
        return ModelHistory(found[: asked.limit], len(found) > asked.limit)

    @get(
        "/admin/v1/models/{id:path}",
        "Show a model as it is declared",
        asked=ModelAsked,
        answer=ModelShown,
        errors="404",
    )
    async def show(self, principal: Principal, asked: ModelAsked) -> ModelShown:
        """With its figures."""
        return self._shown(self._registrar.get(asked.id))

    @patch(
        "/admin/v1/models/{id:path}",
        "Change a model's card",
        asked=PatchGiven,
        body={"type": "object"},
        takes="application/merge-patch+json",
        answer=ModelShown,
        errors="404 409 412 428 503",
    )
    async def edit(self, principal: Principal, asked: PatchGiven) -> ModelShown:
        """From the next request on; ``null`` gives a field its default."""
        given, actor = decode(_object, asked.data), Identity.of(principal)
        return self._shown(await self._registrar.edit(asked.id, given, match=asked.if_match, actor=actor))

    @delete(
        "/admin/v1/models/{id:path}",
        "Take a model out",
        asked=ModelMeant,
        answer=ModelRemoved,
        errors="404 409 412 428 503",
    )
    async def remove(self, principal: Principal, asked: ModelMeant) -> ModelRemoved:
        """Requests under way there are finished, and its history stays."""
        entry = await self._registrar.remove(asked.id, match=asked.if_match, actor=Identity.of(principal))
        return ModelRemoved(entry.card.id, deleted=True)

    def _wanted(self, entry: Entry, asked: ModelPage) -> bool:
        card, model = entry.card, self._service.registry.get(entry.card.id)
        return (
            asked.origin in (None, entry.origin)
            and asked.endpoint in (None, card.endpoint)
            and (not asked.tag or asked.tag in card.tags)
            and (asked.state is None or (model is not None and model.standing.state == asked.state))
        )
