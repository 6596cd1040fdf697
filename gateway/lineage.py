"""Bringing the log in line with the configuration: feature space, policy, arms and their semantic priors.

What changed is appended as events, so the fold (and every later refold) sees it at the same place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from inspect import signature

import structlog
from msgspec.structs import asdict

from gateway.config import ConfigurationError, FeedbackTrust, Routing
from gateway.events import ArmRemoved, ArmSet, Event, LearningFrozen, LineageStarted, PolicyTuned, TrustTuned, doubles
from gateway.fold import Fold
from gateway.registry import Model
from gateway.space import Space
from gateway.trust.judgement import Judges
from router_models import POLICIES, make
from router_models.prior import semantic_prior
from router_models.suspicion import Suspicion

_logger = structlog.get_logger("polyculture.lineage")


class Lineage:
    """The space that this process works in: which embedder, which features, which policy.

    Raises :class:`ConfigurationError` for a policy that there is not.
    """

    def __init__(self, *, space: Space, routing: Routing, trust: FeedbackTrust) -> None:
        self._space = space
        self._judged = _judged(trust)
        self.started = LineageStarted(
            embedder=space.fingerprint,
            dimensions=space.features.dimensions,
            policy=routing.policy,
            parameters=json.dumps(parameters(routing), sort_keys=True),
        )

    def changes(self, fold: Fold, models: Iterable[Model], *, frozen: bool | None) -> Iterator[Event]:
        """The events that take ``fold`` to this configuration; none when nothing changed."""
        before, after = fold.started, self.started
        anew = (before.embedder, before.dimensions, before.policy) != (
            after.embedder,
            after.dimensions,
            after.policy,
        )
        if anew:
            if fold.lineage:
                _logger.warning("new_lineage", reason="the embedder or the policy changed: learning starts anew")
            yield after
        elif before.parameters != after.parameters:
            yield PolicyTuned(parameters=after.parameters)
        known = {} if anew else {name: arm.digest for name, arm in fold.arms.items()}
        for model in models:
            if known.pop(model.id, None) != model.semantics:
                yield arm(self._space, model)
        for name in known:
            yield ArmRemoved(name=name)
        if frozen is not None and frozen != fold.frozen:
            yield LearningFrozen(frozen=frozen)
        if Judges.told(self._judged) != fold.judges:
            yield self._judged


def arm(space: Space, model: Model) -> ArmSet:
    """What a model is to policies: the prior that its card's texts give. Takes as long as embedding them does."""
    embeddings = space.embedder.embed(model.card.semantics() or [model.id])
    prior = doubles(semantic_prior(space.features, embeddings))
    return ArmSet(name=model.id, prior=prior, digest=model.semantics)


def _judged(trust: FeedbackTrust) -> TrustTuned:
    """How feedback is to be judged."""
    if not trust.trust:
        return TrustTuned(parameters="", keys=False)
    suspicion = Suspicion(
        share=trust.dishonest_share,
        least=trust.quarantine_below,
        probation=trust.probation,
        rate=trust.per_hour,
        influence=trust.influence_cap,
        memory=trust.known,
    )
    return TrustTuned(parameters=json.dumps(suspicion.parameters, sort_keys=True), keys=trust.judge_keys)


def parameters(routing: Routing) -> dict[str, float | None]:
    """What the policy is made with.

    Raises :class:`ConfigurationError` for a policy that there is not, or a limit set that it does not hold.
    """
    limits = {"share_cap": ("cap", routing.share_cap), "budget": ("budget", routing.budget)}
    found: dict[str, float | None] = {"exploration": routing.exploration}
    known = signature(POLICIES[routing.policy]).parameters if routing.policy in POLICIES else ()
    for setting, (name, value) in limits.items():
        if name in known:
            found[name] = value
        elif value is not None and setting in routing.model_fields_set:
            raise ConfigurationError(f"routing: the policy {routing.policy} holds no {setting}: set it to null")
    try:
        make(routing.policy, **found)
    except ValueError as error:
        raise ConfigurationError(f"routing: {error}") from error
    return found


def summary(changes: Iterable[Event]) -> dict[str, object]:
    """What changed, in words, for the audit log; priors and other numbers are in the log itself."""
    told: dict[str, object] = {}
    named: dict[str, list[str]] = {}
    for change in changes:
        if isinstance(change, ArmSet | ArmRemoved):
            named.setdefault("models_set" if isinstance(change, ArmSet) else "models_removed", []).append(change.name)
        else:
            told[change.kind] = asdict(change)
    return {**told, **named}
