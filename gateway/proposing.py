"""From readings to proposals: embed, read the features off, ask the policy; many requests at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import structlog

from gateway.batching import Batch
from gateway.embedding import Embedding, Embeddings
from gateway.publication import Published
from gateway.request import Reading
from router_models.features import Features, Traits, traits
from router_models.policy import Mask, Proposal, Snapshot, Vector

_logger = structlog.get_logger("polyculture.proposing")


class Question(NamedTuple):
    """One request before a published router: ``eligible`` (K,), ``costs`` (K,) in USD where they count.

    ``assignment`` is the number that gave the request to this router rather than to one beside it, ``handicaps`` (K,)
    what is taken off the arms' utility.
    """

    published: Published
    reading: Reading
    embedding: Embedding | None
    eligible: Mask
    costs: Vector | None
    cost_weight: float
    explore: bool
    assignment: float = 0.0
    handicaps: Vector | None = None


class Proposed(NamedTuple):
    """The policy's proposal, the features (d,) that it looked at, and whether the text's meaning is among them.

    ``shadow`` (K,) are the probabilities of the policy that is asked and never heeded, where there is one.
    """

    proposal: Proposal
    features: npt.NDArray[np.float32]
    embedded: bool
    shadow: Vector | None = None


class Proposer:
    """Asks the policy for all requests of one turn of the event loop together."""

    def __init__(self, *, embeddings: Embeddings, features: Features) -> None:
        self._embeddings = embeddings
        self._features = features
        self._batch = Batch(answer=self._answer)

    async def embedding(self, text: str, *, private: bool) -> Embedding | None:
        """A text's vector where it takes waiting for; an instant embedder works when the policy is asked.

        A private text goes to no embedder that is elsewhere: it has none, and is routed by the prior.
        """
        if self._embeddings.instant or (private and not self._embeddings.confidential):
            return None
        return await self._embeddings.vector(text)

    async def features(self, reading: Reading, *, private: bool) -> npt.NDArray[np.float32]:
        """What the policy would look at (d,)."""
        embedding = await self.embedding(reading.text, private=private)
        if self._embeddings.instant:
            embedding = self._embeddings.at_once([reading.text])[0]
        found: npt.NDArray[np.float32] = self._features.rows([embedding], [_traits(reading)])[0]
        return found

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
            asked = [questions[row] for row in members]
            proposal = _propose(asked, rows[members], asked[0].published.snapshot)
            shadow = _aside(asked, rows[members])
            for place, row in enumerate(members):
                own = Proposal(probabilities=proposal.probabilities[place], scores=proposal.scores[place])
                beside = None if shadow is None else shadow[place]
                answers[row] = Proposed(own, rows[row], embeddings[row] is not None, beside)
        return [answers[row] for row in range(len(questions))]


def _traits(reading: Reading) -> Traits:
    return traits(
        reading.text,
        turns=reading.turns,
        tools=reading.tools,
        json_mode=reading.json_mode,
        images=reading.images,
    )


def _propose(questions: Sequence[Question], features: npt.NDArray[np.float32], snapshot: Snapshot) -> Proposal:
    """A snapshot's proposals for questions that differ in their requests alone."""
    first = questions[0]
    return snapshot.propose_all(
        features,
        eligible=np.array([question.eligible for question in questions]),
        costs=None if first.costs is None else np.array([question.costs for question in questions]),
        cost_weight=first.cost_weight,
        handicaps=_handicaps(questions),
        explore=first.explore,
    )


def _handicaps(questions: Sequence[Question]) -> Vector | None:
    """Everyone's (n, K), zeros where there are none; ``None`` if nobody has any."""
    if all(question.handicaps is None for question in questions):
        return None
    nothing = np.zeros(len(questions[0].eligible))
    return np.array([nothing if question.handicaps is None else question.handicaps for question in questions])


def _aside(questions: Sequence[Question], features: npt.NDArray[np.float32]) -> Vector | None:
    """The shadow's probabilities (n, K), where there is one; should it fail, nobody is the worse for it."""
    shadow = questions[0].published.shadow
    if shadow is None:
        return None
    try:
        return _propose(questions, features, shadow).probabilities
    except Exception:
        _logger.exception("shadow_failed")
        return None
