"""Bringing the log in line with the configuration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gateway.config import ConfigurationError, FeedbackTrust, ModelCard, Routing
from gateway.events import ArmRemoved, ArmSet, Event, LearningFrozen, LineageStarted, PolicyTuned
from gateway.fold import Fold
from gateway.lineage import Lineage
from gateway.registry import Registry
from gateway.space import Space
from router_models import make
from router_models.embedders import load
from tests.log.conftest import Logged
from tests.log.samples import feedback, record


@pytest.fixture(scope="module")
def space() -> Space:
    return Space.of(load("static"))


def card(name: str, description: str = "", **fields: Any) -> ModelCard:
    reached = {"base_url": "http://127.0.0.1:9/v1", "model": name}
    return ModelCard.model_validate({"id": name, "description": description, "upstream": reached, **fields})


def registry(*cards: ModelCard) -> Registry:
    return Registry(cards=cards)


UNJUDGED = FeedbackTrust(trust=False)
CHAT = card("chat", "Friendly small talk.")
MATH = card("math", "Sums and equations.", examples=["What is 2 + 2?"])


def bring(
    fold: Fold, space: Space, models: Registry, *, frozen: bool | None = None, **routing: Any
) -> list[tuple[str, Event]]:
    """Fold what changes; the changes by kind."""
    lineage = Lineage(space=space, routing=Routing(**routing), trust=UNJUDGED)
    changes = list(lineage.changes(fold, models, frozen=frozen))
    for change in changes:
        assert fold.apply(record(fold.position + 1, change))
    return [(change.kind, change) for change in changes]


def kinds(changes: list[tuple[str, Event]]) -> list[str]:
    return [kind for kind, _ in changes]


def test_the_first_start_begins_a_lineage_with_all_arms(space: Space, logged: Logged) -> None:
    fold = Fold(make_policy=make)
    (_, started), (_, chat), (_, math) = bring(fold, space, registry(CHAT, MATH))
    assert isinstance(started, LineageStarted)
    assert (started.embedder, started.policy) == (space.fingerprint, "polyculture")
    assert isinstance(chat, ArmSet)
    assert isinstance(math, ArmSet)
    assert [chat.name, math.name] == ["chat", "math"]
    assert len(np.frombuffer(chat.prior)) == started.dimensions == space.features.dimensions
    assert fold.state("default").snapshot().arms == ("chat", "math")
    assert logged == []


def test_nothing_new_is_nothing_to_log(space: Space) -> None:
    fold = Fold(make_policy=make)
    bring(fold, space, registry(CHAT, MATH))
    assert bring(fold, space, registry(MATH, CHAT)) == []


def test_models_come_go_and_change_their_meaning(space: Space) -> None:
    fold = Fold(make_policy=make)
    bring(fold, space, registry(CHAT, MATH))
    other = card("chat", "Writes source code.")
    new = card("new", "Anything.")
    changes = bring(fold, space, registry(other, new))
    assert [(kind, getattr(event, "name", "")) for kind, event in changes] == [
        ("arm_set", "chat"),
        ("arm_set", "new"),
        ("arm_removed", "math"),
    ]
    assert isinstance(changes[-1][1], ArmRemoved)
    assert bring(fold, space, registry(other, new)) == []


def test_what_does_not_change_the_meaning_is_not_logged(space: Space) -> None:
    fold = Fold(make_policy=make)
    bring(fold, space, registry(CHAT))
    assert bring(fold, space, registry(card("chat", "Friendly small talk.", context_window=100, enabled=False))) == []


def test_a_model_without_a_word_is_known_by_its_name(space: Space) -> None:
    fold = Fold(make_policy=make)
    bring(fold, space, registry(card("translator")))
    assert np.any(np.frombuffer(fold.arms["translator"].prior))


def test_hyperparameters_are_tuned_without_forgetting(space: Space) -> None:
    fold = Fold(make_policy=make)
    bring(fold, space, registry(CHAT))
    dimensions = space.features.dimensions
    assert fold.apply(record(3, feedback("chat", 1.0, lineage=fold.lineage, dimensions=dimensions)))
    ((_, tuned),) = bring(fold, space, registry(CHAT), exploration=0.3)
    assert isinstance(tuned, PolicyTuned)
    assert (fold.lineage, fold.lessons) == (1, 1)
    assert "default" in fold.states
    assert bring(fold, space, registry(CHAT), exploration=0.3) == []


def test_another_space_starts_a_lineage_and_says_so(space: Space, logged: Logged) -> None:
    fold = Fold(make_policy=make)
    bring(fold, space, registry(CHAT, MATH))
    elsewhere = Space(embedder=space.embedder, features=space.features, fingerprint="another embedder")
    changes = bring(fold, elsewhere, registry(CHAT))
    assert kinds(changes) == ["lineage_started", "arm_set"]
    assert (fold.lineage, list(fold.arms)) == (4, ["chat"])
    assert [(line["event"], line["log_level"]) for line in logged] == [("new_lineage", "warning")]


def test_freezing_is_logged_where_it_changes(space: Space) -> None:
    fold = Fold(make_policy=make)
    changes = bring(fold, space, registry(), frozen=True)
    assert changes[-1][1] == LearningFrozen(frozen=True)
    assert bring(fold, space, registry(), frozen=True) == []
    assert bring(fold, space, registry(), frozen=None) == []
    assert kinds(bring(fold, space, registry(), frozen=False)) == ["learning_frozen"]


def test_a_policy_that_there_is_not_never_reaches_the_log(space: Space) -> None:
    with pytest.raises(ConfigurationError, match="no policy is called 'oracle'"):
        Lineage(space=space, routing=Routing(policy="oracle"), trust=UNJUDGED)


@pytest.mark.parametrize("policy", ["random", "epsilon_greedy", "linucb", "lints", "kmeans"])
def test_every_policy_can_be_chosen_by_name(space: Space, policy: str) -> None:
    fold = Fold(make_policy=make)
    bring(fold, space, registry(CHAT, MATH), policy=policy)
    assert fold.policy == make(policy, exploration=0.01)
    with pytest.raises(ConfigurationError, match=f"the policy {policy} holds no share_cap: set it to null"):
        Lineage(space=space, routing=Routing(policy=policy, share_cap=0.5), trust=UNJUDGED)
    with pytest.raises(ConfigurationError, match="holds no budget"):
        Lineage(space=space, routing=Routing(policy=policy, budget=0.001), trust=UNJUDGED)


def test_a_budget_reaches_the_policy(space: Space) -> None:
    fold = Fold(make_policy=make)
    bring(fold, space, registry(CHAT, MATH), budget=0.002, share_cap=None)
    assert fold.policy == make("polyculture", exploration=0.01, cap=None, budget=0.002)
