"""``check_policy``: what must hold of every policy, whatever it learns."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from router_models import make
from router_models.policy import Arm, Arrays, InvalidState, Observation, Policy, Proposal, State

D = 12
NAMES = ("delta", "alpha", "charlie", "bravo")
STEPS = 90


def requests(count: int, seed: int = 0) -> npt.NDArray[np.float32]:
    x = np.random.default_rng(seed).normal(scale=0.3, size=(count, D)).astype(np.float32)
    x[:, 0] = 1.0
    return x


def arms(names: Sequence[str] = NAMES) -> list[Arm]:
    return [Arm(name=name, prior=0.1 * np.sin(np.arange(D) * len(name))) for name in names]


def learned(policy: Policy, *, names: Sequence[str] = NAMES, steps: int = STEPS) -> State:
    """A state after a fixed history: each arm is good at what its name's length says."""
    state = policy.start(dimensions=D, arms=arms(names))
    order = sorted(names)
    for step, x in enumerate(requests(steps)):
        arm = order[step % len(order)]
        state.chose(arm)
        state.paid(arm, 1e-4 * len(arm))
        state.learn(Observation(arm=arm, features=x, reward=float(x[1] * len(arm) > 0), weight=1.0 - 0.1 * (step % 3)))
    return state


def proposals(state: State, count: int = 20) -> list[tuple[dict[str, float], dict[str, float]]]:
    """What a state proposes, by the arms' names."""
    snapshot = state.snapshot()
    eligible = np.ones(len(snapshot.arms), dtype=bool)
    made = [snapshot.propose(x, eligible=eligible) for x in requests(count, seed=1)]
    return [
        (
            dict(zip(snapshot.arms, proposal.probabilities.tolist(), strict=True)),
            dict(zip(snapshot.arms, proposal.scores.tolist(), strict=True)),
        )
        for proposal in made
    ]


def check_policy(policy: Policy) -> None:
    """Run every check."""
    check_parameters(policy)
    check_distribution(policy)
    check_frequencies(policy)
    check_company(policy)
    check_determinism(policy)
    check_round_trip(policy)
    check_corruption(policy)
    check_refusals(policy)
    check_permutation(policy)
    check_arms(policy)
    check_costs(policy)
    check_handicaps(policy)


def check_parameters(policy: Policy) -> None:
    assert make(policy.name, **dict(policy.parameters)) == policy


def check_distribution(policy: Policy) -> None:
    snapshot = learned(policy).snapshot()
    floor = policy.parameters["exploration"]
    for index, x in enumerate(requests(30, seed=2)):
        eligible = np.array([bool((index + 1) >> bit & 1) for bit in range(len(NAMES))])
        if not eligible.any():
            continue
        proposal: Proposal = snapshot.propose(x, eligible=eligible)
        assert proposal.probabilities.sum() == pytest.approx(1.0, abs=1e-9)
        assert (proposal.probabilities[~eligible] == 0).all()
        assert (proposal.probabilities[eligible] >= floor / eligible.sum() - 1e-12).all()
        assert (np.isnan(proposal.scores) == ~eligible).all()
        greedy = snapshot.propose(x, eligible=eligible, explore=False)
        assert greedy.probabilities[np.nanargmax(greedy.scores)] == greedy.probabilities.max()
        assert greedy.probabilities.sum() == pytest.approx(1.0, abs=1e-9)


def check_frequencies(policy: Policy) -> None:
    """What is drawn by the proposed probabilities comes as often as they say."""
    snapshot = learned(policy).snapshot()
    x = requests(1, seed=3)[0]
    uniform = np.random.default_rng(4).random(4000)
    counts = np.zeros(len(NAMES))
    probabilities = snapshot.propose(x, eligible=np.ones(len(NAMES), dtype=bool)).probabilities
    for draw in uniform:
        again = snapshot.propose(x, eligible=np.ones(len(NAMES), dtype=bool)).probabilities if draw < 0.05 else None
        assert again is None or (again == probabilities).all()
        counts[min(int(np.searchsorted(np.cumsum(probabilities), draw)), len(NAMES) - 1)] += 1
    deviation = np.sqrt(probabilities * (1 - probabilities) / len(uniform))
    assert (np.abs(counts / len(uniform) - probabilities) <= 4 * deviation + 1e-9).all()


def check_company(policy: Policy) -> None:
    """A request is answered the same, bit for bit, alone and among others."""
    snapshot = learned(policy).snapshot()
    x = requests(19, seed=5)
    rule = np.random.default_rng(6)
    eligible = rule.random((len(x), len(NAMES))) < 0.7
    eligible[:, 0] = True
    costs, handicaps = rule.random(eligible.shape), rule.random(eligible.shape)
    handicaps[::2] = 0.0
    for explore in (True, False):
        rows = snapshot.propose_all(
            x, eligible=eligible, costs=costs, cost_weight=0.1, handicaps=handicaps, explore=explore
        )
        for row in range(len(x)):
            alone = snapshot.propose(
                x[row],
                eligible=eligible[row],
                costs=costs[row],
                cost_weight=0.1,
                handicaps=None if row % 2 == 0 else handicaps[row],
                explore=explore,
            )
            assert (rows.probabilities[row] == alone.probabilities).all()
            assert np.array_equal(rows.scores[row], alone.scores, equal_nan=True)


def check_determinism(policy: Policy) -> None:
    first, second = learned(policy), learned(policy)
    assert proposals(first) == proposals(second)
    one, other = first.arrays(), second.arrays()
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[key], other[key]) for key in one)


def check_round_trip(policy: Policy) -> None:
    state = learned(policy)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **state.arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as saved:
        loaded = policy.load(dict(saved))
    assert proposals(loaded) == proposals(state)
    for x in requests(40, seed=5):
        for fold in (state, loaded):
            fold.learn(Observation(arm="alpha", features=x, reward=0.25))
    assert proposals(loaded) == proposals(state)


def check_corruption(policy: Policy) -> None:
    arrays = learned(policy).arrays()
    for key, array in arrays.items():
        broken: list[Arrays] = [{name: value for name, value in arrays.items() if name != key}]
        if array.ndim:
            broken.append({**arrays, key: array[..., None]})
        if array.dtype.kind == "f" and array.size:
            poisoned = array.copy()
            poisoned.flat[0] = np.nan
            broken.append({**arrays, key: poisoned})
        for damage in broken:
            with pytest.raises(InvalidState):
                policy.load(damage)
    with pytest.raises(InvalidState):
        policy.load({})


def check_refusals(policy: Policy) -> None:
    state = learned(policy)
    before = proposals(state)
    x = requests(1)[0]
    bad = np.where(np.arange(D) == 3, np.nan, x).astype(np.float32)
    for observation in (
        Observation(arm="alpha", features=bad, reward=1.0),
        Observation(arm="alpha", features=x[:-1], reward=1.0),
        Observation(arm="alpha", features=x, reward=np.nan),
        Observation(arm="alpha", features=x, reward=1.5),
        Observation(arm="alpha", features=x, reward=1.0, weight=-0.5),
        Observation(arm="alpha", features=x, reward=1.0, weight=np.inf),
        Observation(arm="alpha", features=x, reward=1.0, previous=np.nan),
    ):
        with pytest.raises(ValueError, match="must"):
            state.learn(observation)
    with pytest.raises(ValueError, match="prior"):
        state.add(Arm(name="echo", prior=np.full(D, np.inf)))
    snapshot = state.snapshot()
    with pytest.raises(ValueError, match="finite"):
        snapshot.propose(bad, eligible=np.ones(len(NAMES), dtype=bool))
    with pytest.raises(ValueError, match="eligible"):
        snapshot.propose(x, eligible=np.zeros(len(NAMES), dtype=bool))
    state.learn(Observation(arm="alpha", features=x, reward=1.0, weight=0.0))
    state.learn(Observation(arm="nobody", features=x, reward=1.0))
    state.remove("nobody")
    state.chose("nobody")
    assert proposals(state) == before


def check_permutation(policy: Policy) -> None:
    assert proposals(learned(policy, names=NAMES)) == proposals(learned(policy, names=NAMES[::-1]))


def check_arms(policy: Policy) -> None:
    state = learned(policy)
    before = [scores for _, scores in proposals(state)]
    state.add(Arm(name="bonus", prior=np.zeros(D)))
    after = [scores for _, scores in proposals(state)]
    assert all(set(scores) == {*NAMES, "bonus"} for scores in after)
    for old, new in zip(before, after, strict=True):
        assert {name: new[name] for name in NAMES} == pytest.approx(old, abs=1e-6)
    snapshot = state.snapshot()
    state.remove("bonus")
    state.remove("alpha")
    assert len(snapshot.arms) == len(NAMES) + 1
    assert all(set(scores) == set(NAMES) - {"alpha"} for _, scores in proposals(state))


def check_costs(policy: Policy) -> None:
    """A price on money moves scores by exactly that much."""
    snapshot = learned(policy).snapshot()
    x, eligible = requests(1)[0], np.ones(len(NAMES), dtype=bool)
    costs = np.arange(len(NAMES), dtype=np.float64) * 1e-3
    free = snapshot.propose(x, eligible=eligible, costs=costs).scores
    priced = snapshot.propose(x, eligible=eligible, costs=costs, cost_weight=50.0).scores
    assert free - priced == pytest.approx(50.0 * costs, abs=1e-6)


def check_handicaps(policy: Policy) -> None:
    """A handicap moves scores by exactly that much, and the floor stays."""
    snapshot = learned(policy).snapshot()
    x, eligible = requests(1)[0], np.ones(len(NAMES), dtype=bool)
    handicaps = np.array([0.3, 0.0, 0.3, 0.3])
    free = snapshot.propose(x, eligible=eligible)
    hampered = snapshot.propose(x, eligible=eligible, handicaps=handicaps)
    assert free.scores - hampered.scores == pytest.approx(handicaps, abs=1e-6)
    assert hampered.probabilities[1] >= free.probabilities[1]
    assert (hampered.probabilities >= policy.parameters["exploration"] / len(NAMES) - 1e-12).all()
