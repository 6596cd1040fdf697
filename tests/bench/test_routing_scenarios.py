"""What each scenario does to a stream, and what it says of a pass."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.bench.routing.contenders import Limits
from gateway.bench.routing.recorded import Recorded
from gateway.bench.routing.replay import Trace
from gateway.bench.routing.scenarios import COMPANIONS, NAMES, Choices, Scenario, scenarios
from gateway.bench.routing.scenarios.feedback import Delayed, Hostile, Noisy, Sparse
from gateway.bench.routing.scenarios.limits import Budget, Cap, largest_window
from gateway.bench.routing.scenarios.models import Departure, Failure, Onboarding, Price
from gateway.bench.routing.scenarios.traffic import Drift, Perturbed, Tenants
from gateway.bench.routing.stream import Stream
from tests.bench.routing_data import BOTH, SONNETS, SUMS, rows, written


@pytest.fixture(name="data", scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return Recorded.read(written(tmp_path_factory.mktemp("routing"), rows(900)))


def shaped(scenario: Scenario, data: Recorded, *, seed: int = 0) -> tuple[Stream, Stream]:
    """The plain stream and the scenario's."""
    plain = Stream.of(data, np.random.default_rng(seed).permutation(data.rows(None)))
    return plain, scenario.shaped(plain, data, np.random.default_rng(seed))


def tracing(*chosen: int, times: int) -> Trace:
    return Trace(chosen=np.repeat(chosen, times), flipped=np.zeros((0, 0), dtype=np.bool_))


@pytest.mark.parametrize("name", NAMES)
def test_scenarios_are_the_same_for_the_same_seed_and_change_no_recorded_outcome(name: str, data: Recorded) -> None:
    before = data.quality.copy()
    made = scenarios(name, data=data, rows=data.rows(None), choices=Choices())
    assert list(made) == ["", *([COMPANIONS[name]] if name in COMPANIONS else [])]
    for scenario in made.values():
        assert scenario.name == name
        (_, first), (_, again) = shaped(scenario, data), shaped(scenario, data)
        for array in ("rows", "quality", "cost", "told", "weight", "heard", "delay", "present", "tenant"):
            assert np.array_equal(getattr(first, array), getattr(again, array)), array
    assert np.array_equal(data.quality, before)


def test_the_favourite_fails_in_the_middle_third_and_nobody_is_told(data: Recorded) -> None:
    plain, stream = shaped(Failure(model=0), data)
    assert np.array_equal(stream.quality[300:600, 0], plain.quality[300:600, 0] / 2)
    assert np.array_equal(stream.quality[:, 1:], plain.quality[:, 1:])
    assert np.array_equal(stream.told, stream.quality)
    assert np.array_equal(
        np.delete(stream.quality, slice(300, 600), axis=0)[:, 0], plain.quality[[*range(300), *range(600, 900)], 0]
    )
    _, stream = shaped(Failure(model=1, quality=0.75, cost=0.0), data)
    assert set(stream.quality[300:600, 1]) == {0.75}
    assert not stream.cost[300:600, 1].any()
    found = Failure(model=1, quality=0.75).findings(stream, tracing(1, times=900))
    assert found["phase_2"] == 0.75
    assert found["share_2"] == 1.0
    assert found["recovered"] == pytest.approx(stream.quality[800:, 1].mean())


def test_prices_fall_and_rise_and_are_announced(data: Recorded) -> None:
    plain, stream = shaped(Price(model=1), data)
    factors = stream.cost[:, 1] / plain.cost[:, 1]
    assert factors[[0, 299, 300, 599, 600, 899]].round(9).tolist() == [1, 1, 0.1, 0.1, 2, 2]
    assert {t: prices.tolist() for t, prices in stream.repriced.items()} == {300: [1, 0.1, 1], 600: [1, 2, 1]}
    assert np.array_equal(stream.quality, plain.quality)


def test_a_newcomer_is_not_there_before_and_its_adoption_is_timed(data: Recorded) -> None:
    scenario = Onboarding(model=2)
    _, stream = shaped(scenario, data)
    assert scenario.unknown == (2,)
    assert not stream.present[:300, 2].any()
    assert stream.present[300:].all()
    assert stream.best() != 2
    adopted = Trace(chosen=np.array([0] * 450 + [2] * 450), flipped=np.zeros((0, 0), dtype=np.bool_))
    found = scenario.concluded([scenario.findings(stream, adopted)])
    assert found["final_share"] == 1.0
    assert found["adopted"] == 101.0
    assert found["share_from_100"] == 0.5
    never = scenario.concluded([scenario.findings(stream, tracing(0, times=900))])
    assert never["adopted"] is None


def test_the_favourite_leaves_halfway(data: Recorded) -> None:
    _, stream = shaped(Departure(model=0), data)
    assert stream.present[:450].all()
    assert not stream.present[450:, 0].any()
    assert stream.oracle()[450:].tolist() == stream.quality[450:, 1:].max(axis=1).tolist()
    found = Departure(model=0).findings(stream, tracing(0, 1, times=450))
    assert found["before"] == stream.quality[:450, 0].mean()
    assert found["after"] == stream.quality[450:, 1].mean()


def test_delays_are_geometric(data: Recorded) -> None:
    _, stream = shaped(Delayed(mean=50.0), data)
    assert stream.delay.min() == 0
    assert stream.delay.mean() == pytest.approx(50.0, rel=0.15)
    assert stream.delay.std() == pytest.approx(50.0, rel=0.2)


def test_feedback_is_sparse_and_biased_towards_bad_outcomes(data: Recorded) -> None:
    _, stream = shaped(Sparse(share=0.2), data)
    bad = stream.quality < 0.5
    assert stream.heard.mean() == pytest.approx(0.2, abs=0.04)
    assert stream.heard[bad].mean() / stream.heard[~bad].mean() == pytest.approx(3.0, rel=0.35)
    assert np.array_equal(stream.told, stream.quality)


def test_noise_is_in_what_is_told_alone(data: Recorded) -> None:
    plain, stream = shaped(Noisy(share=0.3), data)
    assert np.array_equal(stream.quality, plain.quality)
    assert (stream.told != stream.quality).mean() == pytest.approx(0.15, abs=0.03)


def test_hostile_sources_vote_the_worst_up_and_the_best_down(data: Recorded) -> None:
    plain, stream = shaped(Hostile(), data)
    means = plain.quality.mean(axis=0)
    best, worst = int(means.argmax()), int(means.argmin())
    other = ({0, 1, 2} - {best, worst}).pop()
    hostile = stream.weight[:, 0] < 1
    assert hostile.mean() == pytest.approx(0.2, abs=0.04)
    assert set(stream.told[hostile, best]) == {0.0}
    assert set(stream.told[hostile, worst]) == {1.0}
    assert np.array_equal(stream.told[:, other], plain.quality[:, other])
    assert np.array_equal(stream.told[~hostile], plain.quality[~hostile])
    assert np.array_equal(stream.quality, plain.quality)
    _, untold = shaped(Hostile(trusted=False), data)
    assert np.array_equal(untold.told, stream.told)
    assert untold.weight.all()


def test_the_mix_of_domains_drifts_and_every_request_still_comes_once(data: Recorded) -> None:
    plain, stream = shaped(Drift(), data)
    assert sorted(stream.rows) == sorted(plain.rows)
    verse = np.array([data.domains[row] == "verse" for row in stream.rows])
    assert abs(verse[:200].mean() - verse[-200:].mean()) > 0.7
    assert np.array_equal(stream.quality, data.quality[stream.rows])


def test_tenants_have_opposite_tastes(data: Recorded) -> None:
    plain, stream = shaped(Tenants(), data)
    first, second = stream.tenant == 0, stream.tenant == 1
    assert np.array_equal(stream.quality[first], plain.quality[first])
    ranked = plain.quality.mean(axis=0).argsort()
    assert np.array_equal(stream.quality[second][:, ranked], plain.quality[second][:, ranked[::-1]])
    _, pooled = shaped(Tenants(pooled=True), data)
    assert not pooled.tenant.any()
    assert np.array_equal(pooled.quality, stream.quality)


def test_flipped_choices_are_counted_by_wording(data: Recorded) -> None:
    flipped = np.array([[True, False], [False, False], [True, False], [True, True]])
    trace = Trace(chosen=np.zeros(20, dtype=np.int64), flipped=flipped)
    found = Perturbed().findings(Stream.of(data, np.arange(20)), trace)
    assert found == {"flipped": 0.5, "flipped_typos": 0.75, "flipped_punctuation": 0.25}


def test_the_worst_window_of_all_seeds_counts() -> None:
    chosen = np.array([0, 1] * 300 + [2] * 300 + [0, 1] * 300)
    trace = Trace(chosen=chosen, flipped=np.zeros((0, 0), dtype=np.bool_))
    assert largest_window(trace, 3, 500) == 0.6
    assert largest_window(trace, 3, 300) == 1.0
    assert largest_window(tracing(0, 1, times=10), 3, 500) == 0.5
    assert Cap().concluded([{"share_window_max": 0.5}, {"share_window_max": 0.7}]) == {"share_window_max": 0.7}


def test_budgets_are_told_in_budgets_and_best_single_models(data: Recorded) -> None:
    stream = Stream.of(data, np.arange(20))
    scenario = Budget(limits=Limits(budget=4e-3))
    found = scenario.findings(stream, tracing(1, times=20))
    assert found["cost_of_budget"] == pytest.approx(0.5)
    assert found["cost_of_best_single"] == pytest.approx(2e-3 / stream.cost[0, stream.best()])


def test_choices_reach_their_scenarios(data: Recorded) -> None:
    choices = Choices(budget=5e-4, failing=SONNETS, failed_quality=0.75, failed_cost=0.0, newcomer=BOTH)
    every = data.rows(None)
    limits = Limits(budget=5e-4)
    failure = scenarios("failure", data=data, rows=every, choices=choices)[""]
    assert failure == Failure(model=1, quality=0.75, cost=0.0, limits=limits)
    assert scenarios("onboarding", data=data, rows=every, choices=choices)[""] == Onboarding(model=2, limits=limits)
    assert scenarios("budget", data=data, rows=every, choices=choices)[""].limits == limits
    assert scenarios("stationary", data=data, rows=every, choices=choices)[""].limits == Limits()
    assert scenarios("cap", data=data, rows=every, choices=choices)[""].limits == Limits(cap=0.5)
    assert data.models[data.best(every)] == SUMS
    assert scenarios("budget", data=data, rows=every, choices=Choices())[""].limits.budget == pytest.approx(5e-5)
