"""Whatever the past is made of, and whatever is then said of it: the live state is what the whole log says."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from structlog.testing import capture_logs

from gateway.archive import contents, pack
from gateway.controls import control
from gateway.database import begin, connect, migrate
from gateway.events import (
    EVERYONE,
    Control,
    Event,
    Exclusion,
    FeedbackExcluded,
    FeedbackReleased,
    LearningFrozen,
    PolicyChanged,
    PoolJoined,
    ShadowSet,
)
from gateway.fold import Fold
from gateway.history import refold, restore, revised, revision
from gateway.schema import snapshots
from gateway.transaction import Record, Transaction
from router_models import make
from tests.log import samples

ARMS = ["ant", "bee", "cat"]
TENANTS = ["default", "acme"]
SOURCES = ["key", "key/ann", "key/bob", "other"]
POLICIES = {"polyculture": '{"cap": 0.6, "exploration": 0.02}', "linucb": '{"exploration": 0.02}'}

arms, tenants, sources = st.sampled_from(ARMS), st.sampled_from(TENANTS), st.sampled_from(SOURCES)
everyone, subjects, seeds = st.sampled_from([EVERYONE, *TENANTS]), st.integers(0, 4), st.integers(0, 5)
back = st.integers(0, 25)


class Past(RuleBasedStateMachine):
    """A log on disk, and ``live``, kept in step as the learner does."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        engine = connect(Path(self.directory.name))
        migrate(engine)
        self.connection = engine.connect()
        self.live = Fold(make_policy=make)
        self.said: dict[tuple[str, int, str], list[Record]] = {}

    def log(
        self, event: Event, tenant: str = EVERYONE, subject: int | None = None, source: str | None = None
    ) -> Record:
        with begin(self.connection):
            transaction = Transaction(connection=self.connection, position=self.live.position)
            if isinstance(event, Control):
                control(transaction, event, tenant=tenant)
            else:
                name = None if subject is None else subject.to_bytes(16, "big")
                transaction.append(event, tenant=tenant, subject=name, source=source)
            transaction.flush()
        (record,) = transaction.records
        assert self.live.apply(record)
        if isinstance(event, Control):
            self.live = revised(self.live, revision(self.connection, self.live, make_policy=make))
        return record

    @initialize()
    def begin(self) -> None:
        self.log(samples.started())
        for name in ARMS:
            self.log(samples.arm(name))

    @rule(arm=arms, tenant=tenants, seed=seeds)
    def decide(self, arm: str, tenant: str, seed: int) -> None:
        self.log(samples.decision(arm, arms=ARMS, seed=seed, lineage=self.live.lineage), tenant)

    @rule(arm=arms, tenant=tenants, subject=subjects, source=sources, reward=st.sampled_from([0.0, 0.3, 1.0]))
    def say(self, arm: str, tenant: str, subject: int, source: str, reward: float) -> None:
        """As feedback is logged: what the source said before is amended, whether that counts or not."""
        before = self.said.setdefault((tenant, subject, source), [])
        previous = before[-1].event.reward if before else None  # type: ignore[attr-defined]
        event = samples.feedback(ARMS[subject % 3], reward, seed=subject, lineage=self.live.lineage, previous=previous)
        before.append(self.log(event, tenant, subject, source))

    @rule(tenant=tenants, subject=subjects, source=sources)
    def release(self, tenant: str, subject: int, source: str) -> None:
        for record in self.said.get((tenant, subject, source), [])[-1:]:
            said = record.event
            event = FeedbackReleased(record.seq, said.reward, 0.5, said.lesson)  # type: ignore[attr-defined]
            self.log(event, tenant, subject, source)

    @rule(
        tenant=everyone,
        first=back,
        length=back,
        named=st.none() | st.lists(st.sampled_from([*SOURCES, "key/"]), max_size=2),
        reason=st.sampled_from(["revoked", "rejected", "erased"]),
    )
    def exclude(self, tenant: str, first: int, length: int, named: list[str] | None, reason: Exclusion) -> None:
        begins = max(self.live.position - first, 1)
        ends = min(begins + length, self.live.position)
        self.log(FeedbackExcluded(begins, ends, reason, named), tenant)

    @rule(tenant=everyone, to=back)
    def roll_back(self, tenant: str, to: int) -> None:
        begins = max(self.live.position - to, 1)
        self.log(FeedbackExcluded(begins, self.live.position, "rolled_back"), tenant)

    @rule(policy=st.sampled_from(sorted(POLICIES)))
    def change_policy(self, policy: str) -> None:
        self.log(PolicyChanged(self.live.lineage, policy, POLICIES[policy]))

    @rule(policy=st.sampled_from(["", *POLICIES]), canary=st.sampled_from([0.0, 0.1]))
    def shadow(self, policy: str, canary: float) -> None:
        self.log(ShadowSet(self.live.lineage, policy, POLICIES.get(policy, "{}"), canary))

    @rule(tenant=tenants, contributes=st.booleans(), consumes=st.booleans())
    def join(self, tenant: str, contributes: bool, consumes: bool) -> None:
        self.log(PoolJoined(contributes, consumes), tenant)

    @rule(tenant=everyone, frozen=st.booleans())
    def freeze(self, tenant: str, frozen: bool) -> None:
        self.log(LearningFrozen(frozen), tenant)

    @rule()
    def start_a_lineage(self) -> None:
        self.begin()
        self.said.clear()

    @rule()
    def save(self) -> None:
        archive = pack(contents(self.live))
        row = {"position": archive.position, "at": 0, "checksum": archive.checksum, "archive": archive.data}
        with begin(self.connection):
            self.connection.execute(snapshots.delete().where(snapshots.c.position == archive.position))
            self.connection.execute(snapshots.insert(), row)

    @rule()
    def crash(self) -> None:
        before = self.live
        self.live = restore(self.connection, make_policy=make)
        assert pack(contents(self.live)) == pack(contents(before))

    @invariant()
    def live_is_what_the_log_says(self) -> None:
        with capture_logs() as told:
            again = refold(self.connection, make_policy=make)
        assert not told
        assert pack(contents(again)) == pack(contents(self.live))

    def teardown(self) -> None:
        self.connection.close()
        self.directory.cleanup()


TestPast = Past.TestCase
TestPast.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
