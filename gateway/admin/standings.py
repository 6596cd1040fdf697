"""Where models stand: in use, at rest, on their way in or out; and whether one answers."""

from __future__ import annotations

import msgspec

from gateway.admin.models import Match, ModelAsked, ModelMeant, Name, OfModels, Share, standing
from gateway.decoding import decode
from gateway.errors import ModelNotFound
from gateway.governance.identity import Identity
from gateway.keys import Principal
from gateway.models.shown import ModelShown
from gateway.models.standing import Standing, State
from gateway.models.tester import Tested
from gateway.operations import post

_ERRORS = "404 409 412 503"


class StateWanted(msgspec.Struct, forbid_unknown_fields=True):
    """Where a model is to stand; ``share`` is the largest part of the routed requests that a canary may take."""

    state: State
    share: Share | None = None


class StateGiven(msgspec.Struct, forbid_unknown_fields=True):
    """Which model, in which version if that matters, and where it is to stand."""

    id: Name
    data: bytes
    if_match: Match = None


_wanted = msgspec.json.Decoder(StateWanted)


class Standings(OfModels):
    """What can be done with one of ``/admin/v1/models``. Changes hold from the next request on."""

    @post(
        "/admin/v1/models/{id:path}/state",
        "Say where a model stands",
        asked=StateGiven,
        body=StateWanted,
        answer=ModelShown,
        errors=_ERRORS,
    )
    async def state(self, principal: Principal, asked: StateGiven) -> ModelShown:
        """Active, disabled, draining, a shadow, or a canary with its share."""
        wanted = decode(_wanted, asked.data)
        return await self._stand(principal, asked, standing(wanted.state, wanted.share))

    @post("/admin/v1/models/{id:path}/enable", "Use a model", asked=ModelMeant, answer=ModelShown, errors=_ERRORS)
    async def enable(self, principal: Principal, asked: ModelMeant) -> ModelShown:
        """The policy may choose it, clients may name it."""
        return await self._stand(principal, asked, Standing("active"))

    @post("/admin/v1/models/{id:path}/disable", "Let a model rest", asked=ModelMeant, answer=ModelShown, errors=_ERRORS)
    async def disable(self, principal: Principal, asked: ModelMeant) -> ModelShown:
        """Clients do not see it; what was learned of it stays."""
        return await self._stand(principal, asked, Standing("disabled"))

    @post(
        "/admin/v1/models/{id:path}/drain",
        "Give a model nothing new",
        asked=ModelMeant,
        answer=ModelShown,
        errors=_ERRORS,
    )
    async def drain(self, principal: Principal, asked: ModelMeant) -> ModelShown:
        """It finishes what it began; `figures.under_way` says how much that is."""
        return await self._stand(principal, asked, Standing("draining"))

    @post(
        "/admin/v1/models/{id:path}/test",
        "Call a model once, to see whether it answers",
        asked=ModelAsked,
        answer=Tested,
        errors="404 422",
    )
    async def test(self, principal: Principal, asked: ModelAsked) -> Tested:
        """Wherever it stands; nothing is learned of it."""
        model = self._service.registry.get(asked.id)
        if model is None:
            raise ModelNotFound("There is no such model here.", param="id")
        return await self._tester.test(model)

    async def _stand(self, principal: Principal, asked: ModelMeant | StateGiven, wanted: Standing) -> ModelShown:
        actor = Identity.of(principal)
        return self._shown(await self._registrar.stand(asked.id, wanted, match=asked.if_match, actor=actor))
