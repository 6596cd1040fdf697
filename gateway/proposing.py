"""From readings to proposals: embed, read the features off, ask the policy; many requests at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.batching import Batch
from gateway.embedding import Embedding, Embeddings
from gateway.publication import Published
from gateway.request import Reading
from router_models.features import Features, Traits, traits
from router_models.policy import Mask, Proposal, Vector


class Question(NamedTuple):
    """One request before a published router: ``eligible`` (K,), ``costs`` (K,) in USD where they count."""

    published: Published
    reading: Reading
    embedding: Embedding | None
    eligible: Mask
    costs: Vector | None
    cost_weight: float
    explore: bool


class Proposed(NamedTuple):
    """The policy's proposal, the features (d,) that it looked at, and whether the text's meaning is among them."""

    proposal: Proposal
    features: npt.NDArray[np.float32]
    embedded: bool


class Proposer:
    """Asks the policy for all requests of one turn of the event loop together."""

    def __init__(self, *, embeddings: Embeddings, features: Features) -> None:
        self._embeddings = embeddings
        self._features = features
        self._batch = Batch(answer=self._answer)

    async def embedding(self, text: str) -> Embedding | None:
        """A text's vector where it takes waiting for; an instant embedder works when the policy is asked."""
        return None if self._embeddings.instant else await self._embeddings.vector(text)

    async def propose(self, question: Question) -> Proposed:
        """A distribution over the published router's arms; without an embedding, by the prior alone."""
        return await self._batch.ask(question)

    def _answer(self, questions: Sequence[Question]) -> Sequence[Proposed]:
        if self._embeddings.instant:
            embeddings = self._embeddings.at_once([question.reading.text for question in questions])
        else:
            embeddings = [question.embedding for question in questions]
        rows = self._features.rows(embeddings, [_traits(question.reading) for question in questions])
        groups: dict[tuple[int, bool, float, bool], list[int]] = {}
        for row, question in enumerate(questions):
            alike = (id(question.published), question.explore, question.cost_weight, question.costs is None)
            groups.setdefault(alike, []).append(row)
        answers: dict[int, Proposed] = {}
        for members in groups.values():
            proposal = _propose([questions[row] for row in members], rows[members])
            for row, probabilities, scores in zip(members, proposal.probabilities, proposal.scores, strict=True):
                own = Proposal(probabilities=probabilities, scores=scores)
                answers[row] = Proposed(own, rows[row], embeddings[row] is not None)
        return [answers[row] for row in range(len(questions))]


def _traits(reading: Reading) -> Traits:
    return traits(
        reading.text,
        turns=reading.turns,
        tools=reading.tools,
        json_mode=reading.json_mode,
        images=reading.images,
    )


def _propose(questions: Sequence[Question], features: npt.NDArray[np.float32]) -> Proposal:
    """Proposals for questions that differ in their requests alone."""
    first = questions[0]
    return first.published.snapshot.propose_all(
        features,
        eligible=np.array([question.eligible for question in questions]),
        costs=None if first.costs is None else np.array([question.costs for question in questions]),
        cost_weight=first.cost_weight,
        explore=first.explore,
    )
