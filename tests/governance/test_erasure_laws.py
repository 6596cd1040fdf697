"""Whatever was said before: after an erasure the live state is what the log says that is left, and nobody is named."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from gateway.controls import Controls
from gateway.database import begin
from gateway.events import TrustTuned
from gateway.governance import ageing, belongings, remnants, removal
from gateway.governance.audit import Audit
from gateway.governance.identity import Identity
from gateway.governance.installation import Installation
from gateway.governance.progress import Progress, State
from gateway.history import restore, revised, revision
from gateway.schema import events, snapshots
from gateway.transaction import Transaction, read
from gateway.verification import verify
from router_models import make
from tests.log.test_control_laws import Past, back, sources, tenants

ADMIN = Identity(kind="key", tenant="", name="admin")


class ErasedPast(Past):
    """A past of which parts are erased."""

    def __init__(self) -> None:
        super().__init__()
        self.audit = Audit(installation=Installation(data_dir=Path(self.directory.name)))
        self.count = 0

    @rule(parameters=st.sampled_from(["{}", ""]), keys=st.booleans())
    def judge(self, parameters: str, keys: bool) -> None:
        self.log(TrustTuned(parameters, keys))

    @rule(pinned=st.booleans())
    def pin(self, pinned: bool) -> None:
        self.connection.execute(snapshots.update().values(pinned=pinned))

    def within(self, work: Any) -> Any:
        """One of an erasure's transactions, and what the learner makes of it."""
        with begin(self.connection):
            transaction = Transaction(connection=self.connection, position=self.live.position)
            result = work(transaction)
            transaction.flush()
        for record in transaction.records:
            assert self.live.apply(record)
        return result

    def begun(self, whose: Identity) -> Progress:
        self.count += 1
        erasure, extent = str(self.count), belongings.extent(self.connection, whose.tenant)
        self.within(partial(removal.begin, erasure, whose, ADMIN, self.audit))
        progress: Progress = self.within(partial(removal.survey, erasure, extent, State(0, "")))
        return progress

    def refolded(self) -> None:
        self.live = revised(self.live, revision(self.connection, self.live, make_policy=make))
        controls = Controls.read(self.connection)
        found = remnants.remains(self.connection, make_policy=make, controls=controls, pause=lambda: None)
        self.within(partial(remnants.settle, found))

    @rule(tenant=tenants)
    def erase_tenant(self, tenant: str) -> None:
        progress = self.begun(Identity(kind="tenant", tenant=tenant))
        for after, upto in belongings.pieces(progress.first, progress.last):
            self.within(partial(removal.sweep, progress.id, after, upto))
        states = remnants.without(self.connection, tenant, make_policy=make)
        done = self.within(partial(removal.remove_tenant, progress.id, states))
        self.live.forget([tenant])
        if done.removed.events:
            self.refolded()
        for key in [key for key in self.said if key[0] == tenant]:
            del self.said[key]

    @rule(tenant=tenants, source=sources.filter(lambda source: "/" in source))
    def erase_user(self, tenant: str, source: str) -> None:
        progress = self.begun(Identity(kind="user", tenant=tenant, name=source))
        theirs = belongings.decisions(self.connection, tenant, source, after=0)
        self.within(partial(removal.withdraw, progress.id, theirs))
        self.within(partial(removal.remove_user, progress.id))
        self.refolded()
        for key in [key for key in self.said if key[0] == tenant and key[1].to_bytes(16, "big") in theirs]:
            del self.said[key]

    @rule(tenant=tenants, back=back)
    def age(self, tenant: str, back: int) -> None:
        old = ageing.too_old(self.connection, tenant=tenant, before=1)
        place = self.newest(tenant, self.live.position - back)
        if old is None or place is None:
            return
        if tenant in self.live.pool:
            self.within(partial(ageing.strip, tenant, place, 0))
            return
        controls = Controls.read(self.connection)
        fold = restore(self.connection, make_policy=make, controls=controls, upto=place, tenants=[tenant])
        stale = remnants.superseded(self.connection, make_policy=make, controls=controls, tenant=tenant)
        assert self.within(partial(ageing.put, ageing.Base(fold, controls, stale), tenant))
        self.within(partial(ageing.drop_events, tenant, place - 1, old.first - 1))
        for key, records in self.said.items():
            if key[0] == tenant:
                self.said[key] = [record for record in records if record.seq > place]

    def newest(self, tenant: str, upto: int) -> int | None:
        """The last event of a tenant's that ages."""
        rows = read(self.connection, events.c.tenant == tenant, events.c.seq <= upto)
        found = [row.seq for row in rows if row.kind in ("decision", "answer", "feedback", "feedback_released")]
        return max(found, default=None)

    def teardown(self) -> None:
        found = verify(self.connection, make_policy=make)
        assert found.largest == 0.0
        super().teardown()


TestErasedPast = ErasedPast.TestCase
TestErasedPast.settings = settings(max_examples=8, stateful_step_count=40, deadline=None)
