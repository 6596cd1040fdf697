"""Whatever happens, in whatever order: folding the log again gives the live state, bit for bit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule
from structlog.testing import capture_logs

from gateway.archive import Archive, contents, difference, pack, unpack
from gateway.controls import Controls
from gateway.events import ArmRemoved, ArmSet, Event, Feedback, LearningFrozen, PolicyTuned, decode, doubles, encode
from gateway.fold import Fold
from gateway.transaction import Record
from router_models import make
from tests.log import samples
from tests.log.samples import DIMENSIONS

NAMES = ["ant", "bee", "cat", "dog"]
TENANTS = ["default", "acme"]

names = st.sampled_from(NAMES)
tenants = st.sampled_from(TENANTS)
seeds = st.integers(0, 5)
rewards = st.floats(0, 1)


def refolded(records: Sequence[Record], *, onto: Archive | None = None) -> Fold:
    """The fold of these records, read back from how they are stored."""
    fold = Fold(make_policy=make) if onto is None else unpack(onto, make_policy=make)
    fold.govern(Controls())
    for each in records:
        if each.seq > fold.position:
            stored = decode(each.kind, encode(each.event), head=True)
            fold.apply(each._replace(event=stored))
    return fold


class Life(RuleBasedStateMachine):
    """A gateway's life as its log sees it; ``live`` is folded as it goes, as the learner does."""

    said = Bundle("said")

    def __init__(self) -> None:
        super().__init__()
        self.live = Fold(make_policy=make)
        self.records: list[Record] = []
        self.archives: list[Archive] = []

    def log(self, event: Event, tenant: str = "default") -> bool:
        record = samples.record(len(self.records) + 1, event, tenant=tenant)
        self.records.append(record)
        with capture_logs():
            return self.live.apply(record)

    @initialize()
    def begin(self) -> None:
        assert self.log(samples.started())
        for name in NAMES[:3]:
            assert self.log(samples.arm(name))

    @rule(cap=st.sampled_from([None, 0.6]), policy=st.sampled_from(["polyculture", "linucb", "random"]))
    def start_a_lineage(self, cap: float | None, policy: str) -> None:
        assert self.log(samples.started(cap=cap) if policy == "polyculture" else samples.started(policy=policy))
        for name in NAMES[:2]:
            assert self.log(samples.arm(name))

    @rule(exploration=st.sampled_from([0.01, 0.2]))
    def tune(self, exploration: float) -> None:
        parameters = msgspec.json.decode(self.live.started.parameters)
        self.log(PolicyTuned(parameters=msgspec.json.encode({**parameters, "exploration": exploration}).decode()))

    @rule(name=names, seed=seeds)
    def set_arm(self, name: str, seed: int) -> None:
        assert self.log(samples.arm(name, seed=seed))

    @rule(name=names)
    def remove_arm(self, name: str) -> None:
        assert self.log(ArmRemoved(name=name))

    @rule(name=names, tenant=tenants, seed=seeds, forced=st.booleans(), late=st.booleans())
    def decide(self, name: str, tenant: str, seed: int, forced: bool, late: bool) -> None:
        lineage = 1 if late else self.live.lineage
        reason = samples.FORCED if forced else samples.POLICY
        assert self.log(samples.decision(name, arms=NAMES, seed=seed, lineage=lineage, reason=reason), tenant)

    @rule(name=names, tenant=tenants, cost=st.none() | st.floats(0, 1), drawn=st.booleans())
    def pay(self, name: str, tenant: str, cost: float | None, drawn: bool) -> None:
        assert self.log(samples.answer(name, cost=cost, drawn=drawn), tenant)

    @rule(target=said, name=names, tenant=tenants, seed=seeds, reward=rewards, weight=st.sampled_from([0.3, 1.0]))
    def say(self, name: str, tenant: str, seed: int, reward: float, weight: float) -> tuple[str, Feedback]:
        event = samples.feedback(name, reward, seed=seed, lineage=self.live.lineage, weight=weight)
        assert self.log(event, tenant)
        return tenant, event

    @rule(target=said, before=said, reward=rewards)
    def amend(self, before: tuple[str, Feedback], reward: float) -> tuple[str, Feedback]:
        tenant, event = before
        event = msgspec.structs.replace(event, reward=reward, previous=event.reward)
        assert self.log(event, tenant)
        return tenant, event

    @rule(target=said, reward=rewards)
    def say_without_a_lesson(self, reward: float) -> object:
        event = Feedback(reward=reward, weight=1.0, previous=None, lesson=None)
        assert self.log(event)
        return multiple()

    @rule(frozen=st.booleans())
    def freeze(self, frozen: bool) -> None:
        assert self.log(LearningFrozen(frozen=frozen))

    @rule(name=names, what=st.sampled_from(["features", "short", "reward", "cost", "prior", "policy"]))
    def log_something_unusable(self, name: str, what: str) -> None:
        """No such event is ever written; an old version's fault, or a damaged disk, must not end everything."""
        lineage = self.live.lineage
        events: dict[str, Event] = {
            "features": samples.feedback(name, 0.5, seed=samples.NOT_FINITE, lineage=lineage),
            "short": samples.feedback(name, 0.5, lineage=lineage, dimensions=DIMENSIONS - 1),
            "reward": samples.feedback(name, math.inf, lineage=lineage),
            "cost": samples.answer(name, cost=-1.0),
            "prior": ArmSet(name=name, prior=doubles(np.full(DIMENSIONS, np.nan)), digest=""),
            "policy": samples.started(policy="of a later version"),
        }
        before = contents(self.live)
        if what in ("prior", "policy"):
            assert not self.log(events[what])
            self.live.position = before_position = self.live.position - 1
            assert difference(before, contents(self.live)) == 0
            self.live.position = before_position + 1
        else:
            self.log(events[what])

    @rule()
    def save(self) -> None:
        self.archives.append(pack(contents(self.live)))

    @rule(tenant=tenants | st.just("new"))
    def serve(self, tenant: str) -> None:
        assert set(self.live.state(tenant).snapshot().arms) == set(self.live.arms)

    def teardown(self) -> None:
        with capture_logs():
            live = pack(contents(self.live))
            again = refolded(self.records)
            assert pack(contents(again)) == live
            assert again.version("default") == self.live.version("default")
            for archive in self.archives:
                fold = unpack(archive, make_policy=make)
                assert pack(contents(fold)) == archive
                assert fold.base == archive.position
                assert pack(contents(refolded(self.records, onto=archive))) == live


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
