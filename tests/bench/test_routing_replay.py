"""The replay loop: what is revealed, when, and to whom."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gateway.bench.routing.recorded import Recorded
from gateway.bench.routing.replay import PROBE, Seat, picked, replay
from gateway.bench.routing.stream import Stream
from router_models import make
from router_models.alarm import Alarm
from router_models.policy import Arm, Arrays, Credit, Mask, Observation, Proposal, Snapshot, Vector
from tests.bench.routing_data import material, written

WIDTH = 3


@dataclass
class Diary:
    """A state and snapshot that chooses by turns and writes everything down."""

    arms: tuple[str, ...] = ()
    asked: int = 0
    told: list[tuple[int, Observation]] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    came: list[tuple[int, str]] = field(default_factory=list)

    def add(self, arm: Arm) -> None:
        self.arms = (*self.arms, arm.name)
        self.came.append((self.asked, arm.name))

    def remove(self, name: str) -> None:
        self.arms = tuple(arm for arm in self.arms if arm != name)
        self.came.append((self.asked, f"no {name}"))

    def chose(self, name: str) -> None:
        self.counted.append(name)

    def paid(self, name: str, usd: float) -> None:
        self.costs.append(usd)

    def learn(self, observation: Observation) -> None:
        self.told.append((self.asked, observation))

    def drifted(self, alarm: Alarm) -> None:
        raise AssertionError("the replay tells outcomes alone")

    def reweigh(self, credit: Credit) -> bool:
        raise AssertionError("the replay judges nobody")

    def snapshot(self) -> Diary:
        return self

    def propose(
        self,
        features: npt.NDArray[np.float32],
        *,
        eligible: Mask,
        costs: Vector | None = None,
        cost_weight: float = 0.0,
        handicaps: Vector | None = None,
        explore: bool = True,
    ) -> Proposal:
        assert len(eligible) == len(self.arms)
        self.asked += explore
        certain = np.zeros(len(self.arms))
        certain[(self.asked if explore else int(features[0])) % len(self.arms)] = 1.0
        return Proposal(probabilities=certain, scores=certain)

    def propose_all(
        self,
        features: npt.NDArray[np.float32],
        *,
        eligible: Mask,
        costs: Vector | None = None,
        cost_weight: float = 0.0,
        handicaps: Vector | None = None,
        explore: bool = True,
    ) -> Proposal:
        raise AssertionError("the replay asks one at a time")

    def expected(self, features: npt.NDArray[np.float32]) -> Vector:
        raise AssertionError("the replay does not ask what is believed")

    def priced(self, like: Snapshot) -> Diary:
        return self

    def check(self, *, since: Snapshot | None = None) -> None:
        assert since is None

    def arrays(self) -> Arrays:
        return {}


def small_stream(requests: int = 12) -> Stream:
    random = np.random.default_rng(0)
    quality = random.random((requests, 3))
    return Stream(
        rows=random.permutation(requests),
        quality=quality,
        cost=random.random((requests, 3)),
        told=quality,
        weight=np.ones((requests, 3)),
        heard=np.ones((requests, 3), dtype=np.bool_),
        delay=np.zeros(requests, dtype=np.int64),
        present=np.ones((requests, 3), dtype=np.bool_),
        tenant=np.zeros(requests, dtype=np.int64),
    )


def passed(stream: Stream, *diaries: Diary, rewordings: int = 0) -> npt.NDArray[np.int64]:
    features = np.arange(len(stream) * WIDTH, dtype=np.float32).reshape(-1, WIDTH)
    trace = replay(
        seats=[Seat(state=diary, models=("a", "b", "c"), dimensions=WIDTH) for diary in diaries],
        stream=stream,
        models=("a", "b", "c"),
        features=features,
        draws=np.full(len(stream), 0.5),
        rewordings=[features + 1] * rewordings,
    )
    assert trace.flipped.shape == (-(-len(stream) // PROBE) if rewordings else 0, rewordings)
    assert trace.flipped.all()
    return trace.chosen


def test_only_the_chosen_models_outcome_is_revealed_before_the_next_request() -> None:
    stream, diary = small_stream(), Diary()
    chosen = passed(stream, diary)
    assert len(diary.told) == len(stream) - 1
    for t, (asked, observation) in enumerate(diary.told):
        assert asked == t + 1
        assert observation.arm == "abc"[chosen[t]] == diary.counted[t]
        assert observation.reward == stream.quality[t, chosen[t]]
        assert observation.features[0] == stream.rows[t] * WIDTH
    assert diary.costs == stream.cost[np.arange(len(stream)), chosen].tolist()


def test_late_feedback_comes_later_and_in_the_order_of_arrival() -> None:
    delay = np.array([5, 0, 3, 0, 0, 1, 50, 0, 0, 0, 0, 0])
    stream, diary = replace(small_stream(), delay=delay), Diary()
    chosen = passed(stream, diary)
    arrivals = sorted((t + 1 + late, t) for t, late in enumerate(delay.tolist()) if t + 1 + late < len(stream))
    assert [asked for asked, _ in diary.told] == [due for due, _ in arrivals]
    assert [said.reward for _, said in diary.told] == [float(stream.quality[t, chosen[t]]) for _, t in arrivals]


def test_what_is_not_heard_is_not_learned_and_weights_are_passed_on() -> None:
    plain = small_stream()
    heard, weight = plain.heard.copy(), plain.weight.copy()
    heard[::2], weight[1] = False, 0.25
    stream, diary = replace(plain, heard=heard, weight=weight), Diary()
    passed(stream, diary)
    assert [asked for asked, _ in diary.told] == [2, 4, 6, 8, 10]
    assert [said.weight for _, said in diary.told] == [0.25, 1.0, 1.0, 1.0, 1.0]


def test_models_come_and_go_when_the_stream_says_so() -> None:
    plain = small_stream()
    present = plain.present.copy()
    present[:4, 2] = present[8:, 0] = False
    diary = Diary()
    chosen = passed(replace(plain, present=present), diary)
    assert diary.came == [(0, "a"), (0, "b"), (4, "c"), (8, "no a")]
    assert present[np.arange(len(plain)), chosen].all()


def test_tenants_have_states_of_their_own() -> None:
    stream = replace(small_stream(), tenant=np.arange(12) % 2)
    first, second = Diary(), Diary()
    passed(stream, first, second)
    assert first.asked == second.asked == 6
    assert {said.features[0] / WIDTH for _, said in first.told} <= set(stream.rows[::2].tolist())


def test_other_wordings_are_asked_without_a_trace() -> None:
    plain, probed = Diary(), Diary()
    assert np.array_equal(passed(small_stream(), plain), passed(small_stream(), probed, rewordings=2))
    assert plain.asked == probed.asked == 12


@pytest.mark.parametrize(("draw", "position"), [(0.0, 1), (0.49, 1), (0.5, 3), (0.999, 3)])
def test_a_draw_never_falls_on_what_cannot_be_chosen(draw: float, position: int) -> None:
    assert picked(np.array([0.0, 0.5, 0.0, 0.5, 0.0]), draw) == position


def test_a_draw_beyond_a_rounded_sum_falls_on_the_last_possible() -> None:
    assert picked(np.array([0.5, 0.4999, 0.0]), 0.99999) == 1


def test_studying_off_line_reveals_every_present_model(tmp_path: Path) -> None:
    data = Recorded.read(written(tmp_path))
    features = material(data).features["plain"]
    diary = Diary()
    seat = Seat(state=diary, models=data.models, dimensions=features.shape[1])
    stream = Stream.of(data, data.rows("val"))
    stream.present[:, 1] = False
    seat.study(stream, features)
    assert len(diary.told) == 2 * len(stream)
    assert {said.arm for _, said in diary.told} == {data.models[0], data.models[2]}


def test_a_real_policy_learns_who_is_good_at_what(tmp_path: Path) -> None:
    data = Recorded.read(written(tmp_path))
    features = material(data).features["plain"]
    state = make("polyculture", cap=None).start(dimensions=features.shape[1], arms=[])
    stream = Stream.of(data, np.tile(np.random.default_rng(0).permutation(80), 4))
    trace = replay(
        seats=[Seat(state=state, models=data.models, dimensions=features.shape[1])],
        stream=stream,
        models=data.models,
        features=features,
        draws=np.random.default_rng(1).random(len(stream)),
    )
    rewards = stream.quality[np.arange(len(stream)), trace.chosen]
    assert rewards[-80:].mean() > stream.quality.mean(axis=0).max()
