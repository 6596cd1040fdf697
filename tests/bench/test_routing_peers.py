"""Every policy takes part: ours, the simple ones, and the peers' libraries behind our protocol."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gateway.bench.routing import contenders
from gateway.bench.routing.contenders import NAMES, PEERS, Limits
from gateway.bench.routing.figures import Pass, binned, half_width, way
from gateway.bench.routing.peers.paretobandit import FORCED, ParetoBandit, constant_last
from gateway.bench.routing.peers.vowpalwabbit import VowpalWabbit
from gateway.bench.routing.recorded import Recorded
from gateway.bench.routing.references import rewards
from gateway.bench.routing.runner import Task, World, run
from gateway.bench.routing.scenarios.limits import Budget, Stationary
from gateway.bench.routing.scenarios.models import Departure, Onboarding, Price
from gateway.bench.routing.scenarios.traffic import Perturbed
from router_models.policy import Arm, InvalidState, Observation
from tests.bench.routing_data import SUMS, material, rows, written

EVERYBODY = (*NAMES, f"fixed:{SUMS}")
TWO = [Arm(name="a", prior=np.zeros(3)), Arm(name="b", prior=np.zeros(3))]


@pytest.fixture(name="world", scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    data = Recorded.read(written(tmp_path_factory.mktemp("routing"), rows(60)))
    return World(
        material=material(data),
        rows=data.rows(None),
        scenarios={
            ("stationary", ""): Stationary(),
            ("onboarding", ""): Onboarding(model=2),
            ("departure", ""): Departure(model=0),
            ("price", ""): Price(model=1, limits=Limits(budget=1e-3)),
            ("perturbed", ""): Perturbed(),
        },
    )


@pytest.mark.parametrize("name", EVERYBODY)
def test_everybody_gets_through_models_that_come_go_and_change_their_price(name: str, world: World) -> None:
    for key in world.scenarios:
        found = world.run(Task(seed=0, policy=name, scenario=key))
        assert 0.0 <= found.figures["mean"] <= 1.0
        assert found.figures["regret"] >= 0.0
        assert found.curves["shares"].sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize("name", EVERYBODY)
def test_the_same_seed_gives_the_same_pass(name: str, world: World) -> None:
    task = Task(seed=3, policy=name, scenario=("stationary", ""))
    assert world.run(task).figures == world.run(task).figures


def test_wordings_are_asked_about_without_consequences(world: World) -> None:
    for name in NAMES:
        plain, probed = (
            world.run(Task(seed=1, policy=name, scenario=(key, ""))) for key in ("stationary", "perturbed")
        )
        assert plain.figures == probed.figures, name
        assert probed.findings["flipped"] == 0.0


def test_all_policies_see_the_same_orders(world: World) -> None:
    passes = dict(
        run(world, [Task(seed=0), *(Task(seed=0, policy=name, scenario=("stationary", "")) for name in NAMES)], jobs=1)
    )
    best = [found.curves["best_single"].tolist() for task, found in passes.items()]
    assert all(curve == best[0] for curve in best)
    assert not np.array_equal(world.order(0), world.order(1))


def test_many_processes_find_what_one_finds(world: World) -> None:
    tasks = [
        Task(seed=seed, policy=name, scenario=("stationary", "")) for seed in range(2) for name in ("lints", "random")
    ]
    alone: dict[Task, Pass] = dict(run(world, tasks, jobs=1))
    together = dict(run(world, tasks, jobs=2))
    assert {task: found.figures for task, found in together.items()} == {
        task: found.figures for task, found in alone.items()
    }


def test_warm_policies_have_learned_and_newcomers_are_new_to_them(world: World) -> None:
    data = world.material.data
    warm = World(material=world.material, rows=data.rows("test"), warm=data.rows("val"), scenarios=world.scenarios)
    cold = World(material=world.material, rows=data.rows("test"), scenarios=world.scenarios)
    offline = World(
        material=world.material, rows=data.rows("test"), warm=data.rows("val"), offline=True, scenarios=world.scenarios
    )
    for key in world.scenarios:
        found = {
            each.run(Task(seed=0, policy="polyculture", scenario=key)).figures["mean"] for each in (warm, cold, offline)
        }
        assert len(found) > 1


def test_budgets_reach_who_can_hold_them(world: World) -> None:
    data = world.material.data
    budgeted = World(
        material=world.material, rows=world.rows, scenarios={("budget", ""): Budget(limits=Limits(budget=1.2e-5))}
    )
    for name in ("polyculture", "paretobandit"):
        policy = contenders.policy(name, data=data, limits=Limits(budget=1.2e-5), seed=0)
        assert policy.parameters["budget"] == 1.2e-5
        free = world.run(Task(seed=0, policy=name, scenario=("stationary", ""))).figures["cost"]
        assert budgeted.run(Task(seed=0, policy=name, scenario=("budget", ""))).figures["cost"] < free


def test_references_know_more_than_policies_and_the_oracle_knows_all(world: World) -> None:
    data = world.material.data
    order = world.order(0)
    found = {
        name: values.mean()
        for name, values in rewards(data, order, embeddings=world.material.embeddings["plain"]).items()
    }
    assert found["random"] < found["best_single"] < found["best_per_domain"] <= found["oracle"]
    assert found["oracle"] == pytest.approx(data.quality.max(axis=1).mean())


def test_full_information_is_prequential(world: World) -> None:
    data = world.material.data
    order, embeddings = world.order(0), world.material.embeddings["plain"]
    last = data.quality.copy()
    last[order[50:]] = 1.0 - last[order[50:]]
    changed = Recorded(**{name: getattr(data, name) for name in data.__dataclass_fields__} | {"quality": last})
    before, after = (rewards(each, order, embeddings=embeddings) for each in (data, changed))
    for name in ("full_information_ridge", "full_information_knn"):
        assert np.array_equal(before[name][:50], after[name][:50])
        assert np.array_equal(before[name][50:], 1.0 - after[name][50:])


def test_a_peer_that_is_not_installed_is_left_out_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    assert contenders.missing("polyculture") is None
    assert all(contenders.missing(name) is None for name in PEERS)
    monkeypatch.setitem(PEERS, "mabwiser", "no_such_package")
    note = contenders.missing("mabwiser")
    assert note is not None
    assert "pip install" in note


def test_peers_are_imported_when_they_are_asked_for() -> None:
    heavy = "{'pareto_bandit', 'vowpalwabbit', 'mabwiser', 'matplotlib', 'numpy', 'rich'}"
    code = f"import sys, gateway.bench.routing.command; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_peers_states_are_not_saved_and_start_with_the_arms_given() -> None:
    for policy in (VowpalWabbit(seed=0), ParetoBandit(prices={"a": 1e-3, "b": 1e-4}, seed=0)):
        state = policy.start(dimensions=3, arms=TWO)
        assert state.snapshot().arms == ("a", "b")
        assert state.arrays() == {}
        with pytest.raises(InvalidState):
            policy.load({})
    together = state.propose_all(np.ones((4, 3), dtype=np.float32), eligible=np.ones((4, 2), dtype=np.bool_))
    assert together.probabilities.sum(axis=1) == pytest.approx(np.ones(4))


def test_vowpal_wabbit_learns_with_the_propensity_of_the_choice() -> None:
    state = VowpalWabbit(seed=0).start(dimensions=3, arms=TWO)
    x = np.array([1.0, 0.5, 0.0], dtype=np.float32)
    for _ in range(300):
        state.propose(x, eligible=np.ones(2, dtype=np.bool_))
        state.chose("a")
        state.learn(Observation(arm="a", features=x, reward=1.0))
        state.propose(x, eligible=np.ones(2, dtype=np.bool_))
        state.chose("b")
        state.learn(Observation(arm="b", features=x, reward=0.0))
        state.learn(Observation(arm="b", features=x, reward=1.0, weight=0.1))
    assert state.propose(x, eligible=np.ones(2, dtype=np.bool_)).probabilities[0] > 0.8


def test_paretobandit_tries_a_model_that_joins_later_as_often_as_in_its_own_experiment() -> None:
    state = ParetoBandit(prices={"a": 1e-3, "b": 1e-4, "c": 1e-4}, seed=0).start(dimensions=3, arms=TWO)
    x, chosen = np.array([0.2, 0.5, 1.0], dtype=np.float32), []
    for step in range(60):
        if step == 10:
            state.add(Arm(name="c", prior=np.zeros(3)))
        eligible = np.ones(len(state.arms), dtype=np.bool_)
        chosen.append(state.arms[int(state.propose(x, eligible=eligible).probabilities.argmax())])
        state.learn(Observation(arm=chosen[-1], features=x, reward=float(chosen[-1] != "c")))
    assert chosen[10:30] == ["c"] * FORCED
    assert "c" not in chosen[:10] + chosen[30:]


def test_the_constant_comes_last_for_who_wants_it_there(world: World) -> None:
    assert constant_last(world.material.features["plain"])[:, -1].tolist() == [1.0] * 60
    assert world.material.seen_by("paretobandit")[:, -1].tolist() == [1.0] * 60
    assert world.material.seen_by("linucb") is world.material.features["plain"]


def test_intervals_are_students() -> None:
    assert half_width([1.0]) == 0.0
    assert half_width([0.0, 1.0]) == pytest.approx(12.706 * 0.5, rel=1e-3)


def test_the_way_is_paired_over_the_seeds() -> None:
    covered = way([0.5, 0.6, 0.4], [0.7, 0.8, 0.6], [0.6, 0.7, 0.5])
    assert covered is not None
    assert covered["share"] == pytest.approx(0.5)
    assert covered["interval_95"] == pytest.approx(0.0, abs=1e-9)
    uneven = way([0.5, 0.5], [0.7, 0.7], [0.5, 0.7])
    assert uneven is not None
    assert uneven["interval_95"] == pytest.approx(half_width([0.0, 1.0]))
    assert way([0.5], [0.6], [0.6]) == {"share": pytest.approx(1.0), "interval_95": 0.0}
    assert way([0.5], [0.5], [0.6]) is None


def test_bins_cover_the_pass() -> None:
    values = np.arange(100.0)
    assert binned(values).shape == (60,)
    assert binned(values[:7]).tolist() == values[:7].tolist()
    assert binned(np.ones((130, 3))).tolist() == np.ones((60, 3)).tolist()
