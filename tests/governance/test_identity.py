"""Pseudonyms: the same for the same, until their salt is shredded."""

from __future__ import annotations

import sqlalchemy as sa

from gateway.database import begin
from gateway.governance.identity import Identity, names, pseudonym, shred
from gateway.keys import Principal
from gateway.schema import salts

ACME = Identity(kind="tenant", tenant="acme")
KEY = Identity(kind="key", tenant="acme", name="acme")
ANN = Identity(kind="user", tenant="acme", name="acme/ann")
BOB = Identity(kind="user", tenant="bolt", name="acme/ann")


def test_an_identity_has_one_pseudonym_that_does_not_tell_its_name(connection: sa.Connection) -> None:
    found = {pseudonym(connection, each) for each in (ACME, KEY, ANN, BOB)}
    assert len(found) == 4
    assert {pseudonym(connection, each) for each in (ACME, KEY, ANN, BOB)} == found
    assert all("acme" not in each and "ann" not in each for each in found)
    assert names(connection)[pseudonym(connection, ANN)] == "user acme/acme/ann"


def test_a_shredded_pseudonym_means_nothing_any_more(connection: sa.Connection) -> None:
    before = {each: pseudonym(connection, each) for each in (ACME, KEY, ANN, BOB)}
    with begin(connection):
        assert shred(connection, ANN) == 1
    assert set(names(connection)) == {before[ACME], before[KEY], before[BOB]}
    assert pseudonym(connection, ANN) != before[ANN]
    with begin(connection):
        assert shred(connection, ACME) == 3
    assert set(names(connection)) == {before[BOB]}
    assert connection.execute(sa.select(salts.c.tenant)).scalars().all() == ["bolt"]


def test_admin_keys_are_of_no_tenant() -> None:
    assert Identity.of(Principal("admin", "default", "admin")).tenant == ""
    assert Identity.of(Principal("default", "default", "data")).tenant == "default"
