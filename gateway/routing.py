"""Choosing a model: embed, features, who is eligible, a probability for each, one draw.

Nothing is chosen behind the log's back: the decision carries the candidates, their probabilities and scores, the
number drawn and the router's version. A model that the client named is forced, and logged as such.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import compress
from typing import NamedTuple

import msgspec
import numpy as np

from gateway.config import Preference
from gateway.configured import Configured
from gateway.conversations import Conversations
from gateway.eligibility import Eligibility, began, nobody
from gateway.errors import BadRequest, Forbidden, ModelNotFound, NoEligibleModel, Unavailable
from gateway.events import Decision, Reason, doubles, singles
from gateway.keys import Principal
from gateway.learner import Learner
from gateway.leaving import Leaving, leaving
from gateway.permission import permit, usable
from gateway.proposing import Proposed, Proposer, Question
from gateway.publication import Published
from gateway.registry import Model, Registry
from gateway.request import Reading
from gateway.vectors import Vectors
from router_models.drawing import drawn
from router_models.policy import Mask, Vector

#: The model name that asks the gateway to choose.
AUTO = "auto"

#: Tokens of an answer that expected costs are reckoned with where the request sets no limit.
EXPECTED_OUTPUT_TOKENS = 256

_PLAIN = Preference()
_NOBODY = Leaving("", -1, 0, 0.0, 0.0)


class Wishes(NamedTuple):
    """What a request's headers ask of routing; ``instead`` is what ``auto`` means past a budget's soft stop."""

    tags: frozenset[str] = frozenset()
    explore: bool = True
    session: bytes = b""
    instead: str = ""
    private: bool = False


#: A request that asks nothing.
NO_WISHES = Wishes()


class Considered(NamedTuple):
    """One request against the router: who may answer, how likely, and why others may not."""

    question: Question
    preference: str
    eligibility: Eligibility
    excluded: dict[str, str]
    proposed: Proposed
    leaving: Leaving | None = None
    private: bool = False

    @property
    def published(self) -> Published:
        """The router that was asked."""
        return self.question.published

    @property
    def mask(self) -> Mask:
        """Who may answer."""
        return self.question.eligible

    @property
    def reason(self) -> Reason:
        """What the probabilities rest on."""
        if self.question.reading.endpoint == "embeddings":
            return "settled"
        return "policy" if self.proposed.embedded else "prior"


class Choice(NamedTuple):
    """The model that answers, those to fall back on in order (told when asked), and the decision to log."""

    model: Model
    fallbacks: Callable[[], list[Model]]
    decision: Decision
    propensity: float


class Router:
    """Turns a reading into a choice. ``draw`` gives uniform numbers in [0, 1)."""

    def __init__(
        self,
        *,
        registry: Registry,
        learner: Learner,
        proposer: Proposer,
        configured: Configured,
        conversations: Conversations,
        vectors: Vectors,
        draw: Callable[[], float],
    ) -> None:
        self.registry = registry
        self._learner = learner
        self._proposer = proposer
        self._configured = configured
        self._conversations = conversations
        self._vectors = vectors
        self._draw = draw
        self._eligibility = Eligibility(registry=registry, arms=())

    async def route(self, reading: Reading, principal: Principal, wishes: Wishes) -> Choice:
        """Choose. Raises :class:`ModelNotFound`, :class:`NoEligibleModel` and kin."""
        if reading.model != AUTO and not reading.model.startswith("auto:"):
            return await self._named(reading, principal, wishes)
        considered = await self.consider(reading, principal, wishes, serve=True)
        number = self._draw()
        place = drawn(considered.proposed.proposal.probabilities, number)
        return self._chosen(considered, principal, reading, place, number)

    async def consider(
        self, reading: Reading, principal: Principal, wishes: Wishes, *, serve: bool = False
    ) -> Considered:
        """Everything but the draw: this is what a dry run shows.

        To ``serve``, a version beside the live one may propose, unless the request is not to be explored.
        """
        if not len(self.registry):
            raise NoEligibleModel("No model is registered.", param="model")
        name = (wishes.instead or reading.model).partition(":")[2]
        preference = self._configured.routing.preferences.get(name) if name else _PLAIN
        if preference is None:
            known = ", ".join(f"auto:{each}" for each in sorted(self._configured.routing.preferences))
            raise ModelNotFound(f"There is no policy {name!r} here; known are {known}.", param="model")
        tenant = self._configured.tenants.get(principal.tenant)
        private = wishes.private or (tenant is not None and tenant.private)
        permit(reading.model, principal, tenant)
        embedding = await self._proposer.embedding(reading.text, private=private)
        published, number = self._learner.published(principal.tenant), 0.0
        explore = preference.explore and wishes.explore and principal.explores and (tenant is None or tenant.explore)
        if serve and explore and published.beside is not None:
            number = self._draw()
            published = published.drawn(number)
        eligibility = self._aligned(published)
        if vectors := reading.endpoint == "embeddings":
            lot, held = 0.0, self._vectors.held(principal.tenant, name)
        else:
            lot = self._draw() if serve and explore and eligibility.canaries else 1.0
            held = self._conversations.holder(principal, reading, wishes.session)
        tags = wishes.tags | preference.tags
        conditions = eligibility.conditions(
            reading, tenant=tenant, models=principal.models, tags=tags, lot=lot, held=held, private=private
        )
        mask, excluded = eligibility.judge(conditions)
        if not mask.any():
            raise nobody(conditions)
        if vectors:
            mask, held = self._vectors.only(principal.tenant, name, mask, excluded, eligibility), None
        left = None if held is None else leaving(held, eligibility, mask, price=self._configured.routing.switch_cost)
        cost_weight = preference.cost_weight if name else self._configured.routing.cost_weight
        question = Question(
            published,
            reading,
            embedding,
            mask,
            self._costs(reading, eligibility, left) if cost_weight else None,
            cost_weight,
            explore,
            number,
            None if left is None else left.handicaps(len(mask)),
        )
        proposed = await self._proposer.propose(question)
        return Considered(question, name, eligibility, excluded, proposed, left, private)

    def _aligned(self, published: Published) -> Eligibility:
        arms = published.snapshot.arms
        if self._eligibility.arms != arms or self._eligibility.revision != self.registry.revision:
            self._eligibility = Eligibility(registry=self.registry, arms=arms)
        return self._eligibility

    def _costs(self, reading: Reading, eligibility: Eligibility, left: Leaving | None) -> Vector:
        prices = eligibility.prices
        costs: Vector = prices[:, 0] * reading.tokens + prices[:, 1] * EXPECTED_OUTPUT_TOKENS
        if left is not None and left.saving:
            costs[left.place] -= left.saving
        return costs

    def _chosen(
        self, considered: Considered, principal: Principal, reading: Reading, place: int, number: float
    ) -> Choice:
        arms = considered.published.snapshot.arms
        proposal, mask, question = considered.proposed.proposal, considered.mask, considered.question
        left = considered.leaving or _NOBODY
        decision = Decision(
            chosen=arms[place],
            reason=considered.reason,
            version=considered.published.version,
            arms=list(compress(arms, mask.tolist())),
            probabilities=doubles(proposal.probabilities[mask]),
            scores=singles(proposal.scores[mask]),
            draw=number,
            features=b"" if considered.reason == "settled" else singles(considered.proposed.features),
            lineage=considered.published.lineage,
            key=principal.name,
            endpoint=reading.endpoint,
            preference=considered.preference,
            excluded=considered.excluded,
            position=considered.published.position,
            explore=question.explore,
            cost_weight=question.cost_weight,
            costs=b"" if question.costs is None else doubles(question.costs[mask]),
            assignment=question.assignment,
            group=considered.published.group,
            share=considered.published.share if question.explore else 0.0,
            trial=considered.published.trial if question.explore else 0,
            shadow=b"" if considered.proposed.shadow is None else doubles(considered.proposed.shadow[mask]),
            holder=left.holder,
            prefix=left.prefix,
            saving=left.saving,
            switch_cost=left.price,
            private=considered.private,
        )
        chosen = considered.eligibility.models[place]
        assert chosen is not None
        return Choice(
            chosen,
            partial(self._ranked, considered, place),
            decision,
            float(proposal.probabilities[place]),
        )

    def _ranked(self, considered: Considered, place: int) -> list[Model]:
        """The other eligible models, best score first, as many as may be fallen back on."""
        models = considered.eligibility.models
        order = np.argsort(-np.where(considered.mask, considered.proposed.proposal.scores, -np.inf), kind="stable")
        others = [models[other] for other in order if considered.mask[other] and other != place]
        return [model for model in others[: self._configured.routing.fallbacks] if model is not None]

    async def _named(self, reading: Reading, principal: Principal, wishes: Wishes) -> Choice:
        """The model that the client named. A shadow's requests are looked at, so that outcomes teach about it."""
        choice, tenant = self._forced(reading, principal), self._configured.tenants.get(principal.tenant)
        private = wishes.private or (tenant is not None and tenant.private)
        if private and not choice.model.card.private:
            raise Forbidden(f"The request is private, and the model {choice.model.id!r} is not.", param="model")
        held = self._conversations.holder(principal, reading, wishes.session)
        if choice.model.standing.state == "draining" and not began(held, choice.model.id):
            raise Unavailable(f"The model {choice.model.id!r} is draining: it takes nothing new.", retry_after_s=60)
        if choice.model.standing.state != "shadow" or reading.endpoint not in ("chat", "embeddings"):
            return choice
        features = await self._proposer.features(reading, private=private)
        decision = msgspec.structs.replace(choice.decision, features=singles(features), private=private)
        return choice._replace(decision=decision)

    def _forced(self, reading: Reading, principal: Principal) -> Choice:
        model = self.registry.get(reading.model)
        tenant = self._configured.tenants.get(principal.tenant)
        if model is None or not usable(model.id, principal, tenant) or model.standing.state == "disabled":
            raise ModelNotFound(
                f"There is no model {reading.model!r} here; GET /v1/models lists them, and 'auto' chooses one.",
                param="model",
            )
        if model.card.endpoint != reading.endpoint:
            raise BadRequest(f"The model {model.id!r} does not serve {reading.endpoint}.", param="model")
        published = self._learner.published(principal.tenant)
        decision = Decision(
            chosen=model.id,
            reason="forced",
            version=published.version,
            arms=[model.id],
            probabilities=doubles([1.0]),
            scores=b"",
            draw=0.0,
            features=b"",
            lineage=published.lineage,
            key=principal.name,
            endpoint=reading.endpoint,
            preference="",
            excluded={},
            position=published.position,
        )
        return Choice(model, list, decision, 1.0)
