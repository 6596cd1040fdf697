"""Nothing that happens to one tenant changes another's router by a single bit, unless both joined the pool."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.controls import Controls
from gateway.events import (
    EVERYONE,
    ArmRemoved,
    Event,
    FeedbackExcluded,
    LearningFrozen,
    PolicyChanged,
    PoolJoined,
    ShadowSet,
)
from gateway.fold import Fold
from gateway.transaction import Record
from tests.log import samples
from tests.log.conftest import Logged

A, B, C = "acme", "bolt", "corp"
ARMS = ["ant", "bee", "cat"]
Happening = tuple[str, Event]

arms, seeds, rewards = st.sampled_from(ARMS), st.integers(0, 5), st.sampled_from([0.0, 0.4, 1.0])
of_tenants = st.one_of(
    st.builds(lambda arm, seed: samples.decision(arm, arms=ARMS, seed=seed), arms, seeds),
    st.builds(lambda arm, cost: samples.answer(arm, cost=cost), arms, st.sampled_from([1e-4, 2.0])),
    st.builds(lambda arm, reward, seed: samples.feedback(arm, reward, seed=seed), arms, rewards, seeds),
    st.builds(LearningFrozen, st.booleans()),
    st.builds(lambda first: FeedbackExcluded(first, first + 10, "revoked"), st.integers(4, 40)),
    st.builds(lambda first: FeedbackExcluded(first, 60, "rolled_back"), st.integers(4, 40)),
)
of_everyone = st.sampled_from(
    [
        samples.arm("ant", seed=1),
        samples.arm("dog"),
        ArmRemoved(name="cat"),
        PolicyChanged(1, "linucb", "{}"),
        ShadowSet(1, "linucb", "{}"),
    ]
)
lives = st.lists(
    st.tuples(st.sampled_from([A, A, B, C]), of_tenants) | st.tuples(st.just(EVERYONE), of_everyone), max_size=40
)
BEGINNING: list[Happening] = [(EVERYONE, samples.started()), *((EVERYONE, samples.arm(name)) for name in ARMS)]


def folded(life: Sequence[Happening], *, without: str = "?") -> Fold:
    records = [
        Record(seq, 0, event.kind, tenant, bytes(16), "key", event)
        for seq, (tenant, event) in enumerate([*BEGINNING, *life], start=1)
        if tenant != without
    ]
    return samples.over(records, controls=Controls(records=records))


def router(fold: Fold, tenant: str) -> list[bytes]:
    """All that a tenant's requests could see, and all that is known of it, as bytes."""
    snapshot = fold.state(tenant).snapshot()
    features = np.array([np.frombuffer(samples.features(seed), "<f4") for seed in range(6)])
    proposal = snapshot.propose_all(features, eligible=np.ones((6, len(snapshot.arms)), np.bool_))
    known = fold.states[tenant].arrays() if tenant in fold.states else {}
    return [
        *(name.encode() for name in snapshot.arms),
        fold.version(tenant).encode(),
        proposal.probabilities.tobytes(),
        proposal.scores.tobytes(),
        *(array.tobytes() for _, array in sorted(known.items())),
    ]


@settings(max_examples=60, deadline=None)
@given(life=lives)
def test_tenants_are_strangers_to_each_other(life: list[Happening]) -> None:
    everything, without = folded(life), folded(life, without=A)
    for tenant in (B, C, "nobody", EVERYONE):
        assert router(everything, tenant) == router(without, tenant)


@settings(max_examples=60, deadline=None)
@given(life=lives, roles=st.tuples(*[st.tuples(st.booleans(), st.booleans())] * 3))
def test_the_pool_flows_from_who_contributes_to_who_consumes_and_nowhere_else(
    life: list[Happening], roles: tuple[tuple[bool, bool], ...]
) -> None:
    joined: list[Happening] = [
        (tenant, PoolJoined(*role)) for tenant, role in zip((A, B, C), roles, strict=True) if any(role)
    ]
    everything, without = folded([*joined, *life]), folded([*joined, *life], without=A)
    contributes = roles[0][0]
    for tenant, (_, consumes) in zip((B, C), roles[1:], strict=True):
        if not (contributes and consumes):
            mine, alone = router(everything, tenant), router(without, tenant)
            assert mine == alone


def test_who_consumes_begins_by_what_the_pool_knows_and_then_goes_its_own_way(logged: Logged) -> None:
    taught: list[Happening] = [(A, samples.feedback("ant", 1.0, seed=seed)) for seed in range(5)]
    joined: list[Happening] = [(A, PoolJoined(True, False)), (B, PoolJoined(False, True))]
    fold = folded([*joined, *taught])
    assert router(fold, B)[3:5] == router(fold, A)[3:5] != router(fold, C)[3:5]
    assert B not in fold.states
    later = folded([*joined, *taught, (B, samples.decision("bee", arms=ARMS)), *taught])
    begun = folded([*joined, *taught, (B, samples.decision("bee", arms=ARMS))])
    assert router(later, B) == router(begun, B)
    assert router(later, A) != router(begun, A)
    mine = folded([*joined, *taught, (B, samples.feedback("bee", 1.0)), *taught])
    assert router(mine, A) == router(later, A)
    assert not logged
