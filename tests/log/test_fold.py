"""What each kind of event does to the fold."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from gateway.archive import contents, difference
from gateway.events import EVERYONE, ArmRemoved, LearningFrozen, PolicyTuned
from gateway.fold import Fold
from router_models import make
from tests.log.conftest import Logged
from tests.log.samples import FORCED, answer, arm, decision, feedback, folded, record, started


def arrays(fold: Fold, tenant: str = "default") -> dict[str, object]:
    return {name: array.tolist() for name, array in fold.state(tenant).arrays().items()}


def test_nothing_can_be_asked_before_the_first_lineage() -> None:
    with pytest.raises(LookupError, match="no lineage"):
        Fold(make_policy=make).state("default")


def test_a_tenant_without_events_knows_the_priors_and_is_not_kept() -> None:
    fold = folded(started(), arm("a"), arm("b"))
    assert fold.state("new").snapshot().arms == ("a", "b")
    assert fold.states == {}


def test_tenants_learn_from_their_own_events_alone() -> None:
    fold = folded(started(), arm("a"), arm("b"))
    fold.apply(record(4, feedback("a", 1.0), tenant="acme"))
    fresh = folded(started(), arm("a"), arm("b"))
    assert arrays(fold) == arrays(fresh)
    assert arrays(fold, "acme") != arrays(fresh)
    assert (fold.version("acme"), fold.version("default")) == ("1.4", "1.3")


def test_a_lesson_of_another_lineage_teaches_nothing() -> None:
    fold = folded(started(), arm("a"), started(), arm("a"), feedback("a", 1.0, lineage=1))
    assert (fold.lineage, fold.lessons) == (3, 0)
    assert arrays(fold) == arrays(folded(started(), arm("a")))


def test_forced_choices_are_not_booked() -> None:
    plain = folded(started(), arm("a"), arm("b"))
    forced = folded(started(), arm("a"), arm("b"), decision("a", reason=FORCED), answer("a", drawn=False))
    booked = folded(started(), arm("a"), arm("b"), decision("a"), answer("a"))
    assert arrays(forced) == arrays(plain)
    assert arrays(booked) != arrays(plain)
    assert forced.version("default") == "1.3"


def test_learning_stops_while_frozen_and_counting_goes_on() -> None:
    frozen = folded(
        started(), arm("a"), arm("b"), LearningFrozen(frozen=True), feedback("a", 1.0), decision("a"), answer("b")
    )
    counted = folded(started(), arm("a"), arm("b"), decision("a"), answer("b"))
    assert frozen.frozen
    assert frozen.lessons == 0
    assert arrays(frozen) == arrays(counted)
    assert frozen.apply(record(8, LearningFrozen(frozen=False)))
    assert frozen.apply(record(9, feedback("a", 1.0)))
    assert frozen.lessons == 1


def test_a_changed_prior_reaches_those_who_have_learned_already() -> None:
    fold = folded(started(), arm("a"), feedback("a", 1.0), arm("a", seed=1), arm("b"))
    assert np.array_equal(fold.state("default").arrays()["priors"][0], np.frombuffer(arm("a", seed=1).prior))
    assert fold.state("default").snapshot().arms == ("a", "b")
    assert fold.version("default") == "1.5"


def test_a_removed_arm_is_gone_for_all() -> None:
    fold = folded(started(), arm("a"), arm("b"), feedback("a", 1.0), ArmRemoved(name="a"))
    assert fold.state("default").snapshot().arms == ("b",)
    assert fold.state("new").snapshot().arms == ("b",)
    assert fold.apply(record(6, feedback("a", 0.0)))  # said late, of an arm that is gone


def test_tuning_keeps_what_was_learned() -> None:
    before = folded(started(), arm("a"), arm("b"), feedback("a", 1.0))
    parameters = msgspec.json.decode(before.started.parameters)
    event = PolicyTuned(parameters=msgspec.json.encode({**parameters, "exploration": 0.5}).decode())
    after = folded(started(), arm("a"), arm("b"), feedback("a", 1.0), event)
    assert arrays(after) == arrays(before)
    assert after.policy is not None
    assert after.policy.parameters["exploration"] == 0.5
    assert after.started.parameters == event.parameters
    assert after.version("default") == "1.5"


def test_an_event_that_cannot_be_used_is_told_and_passed_over(logged: Logged) -> None:
    fold = folded(started(), arm("a"), feedback("a", 1.0))
    before = contents(fold)
    assert not fold.apply(record(4, feedback("a", 7.0)))
    assert not fold.apply(record(5, arm("b", dimensions=2)))
    assert not fold.apply(record(6, started(policy="nobody")))
    assert fold.position == 6
    fold.position = 3
    assert difference(before, contents(fold)) == 0
    assert [(line["event"], line["seq"]) for line in logged] == [("event_not_folded", seq) for seq in (4, 5, 6)]


def test_versions_name_the_last_event_that_changed_anything() -> None:
    fold = folded(started(), arm("a"))
    assert fold.version("default") == "1.2"
    assert fold.apply(record(3, decision("a")))
    assert fold.version("default") == "1.2"
    assert fold.apply(record(4, feedback("a", 0.5)))
    assert (fold.version("default"), fold.version(EVERYONE)) == ("1.4", "1.2")
