"""The keys of an erased tenant let nobody in, now or after a restart."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from gateway.database import begin
from gateway.errors import Unauthenticated
from gateway.http import Scope
from gateway.keys import KeyRing, Principal, ensure, retire
from gateway.schema import keys

ACME, ADMIN = Principal("acme", "acme", "data"), Principal("admin", "acme", "admin")


def ring(connection: sa.Connection, **given: str) -> KeyRing:
    wanted = {principal: given.get(principal.name) for principal in (ACME, ADMIN)}
    return ensure(connection, given=wanted, added=lambda transaction, key: None).ring


def by(key: str) -> Scope:
    return {"headers": [(b"authorization", f"Bearer {key}".encode())]}


def test_a_forgotten_tenant_is_let_in_no_more_and_its_admins_still_administer(connection: sa.Connection) -> None:
    known = ring(connection, acme="a", admin="b")
    assert known.authenticate(by("a"))[:3] == ACME[:3]
    known.forget("acme")
    for key in ("a", "b"):
        with pytest.raises(Unauthenticated):
            known.authenticate(by(key))
    assert known.admin(by("b"))[:3] == ADMIN[:3]


def test_a_retired_key_stays_out_after_a_restart_and_its_row_names_nobody(connection: sa.Connection) -> None:
    ring(connection, acme="a", admin="b")
    with begin(connection):
        assert retire(connection, "acme") == ["acme"]
    with capture_logs() as told:
        again = ring(connection, acme="a", admin="b")
    assert [line["event"] for line in told] == ["key_retired"]
    with pytest.raises(Unauthenticated):
        again.authenticate(by("a"))
    assert again.admin(by("b"))[:3] == ADMIN[:3]
    left = connection.execute(sa.select(keys.c.name, keys.c.tenant, keys.c.at).where(keys.c.scope == "retired"))
    assert left.all() == [("", "", 0)]
    assert ring(connection, acme="another", admin="b").authenticate(by("another"))[:3] == ACME[:3]
