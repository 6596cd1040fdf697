"""Writing the audit log: a chain that names nobody, in the transaction of what it tells."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress

import pytest
import sqlalchemy as sa

from gateway.database import begin
from gateway.governance.audit import Audit, entries, newest
from gateway.governance.identity import Identity, names
from gateway.governance.installation import Installation, signed
from gateway.transaction import Transaction
from tests.governance.conftest import Record

ANN = Identity(kind="user", tenant="acme", name="acme/ann")


def test_an_entry_says_who_did_what_and_names_nobody(connection: sa.Connection, record: Record) -> None:
    entry = record("feedback.revoke", at=7, actor=ANN, subject=ANN, detail={"who": [ANN], "why": "ö"})
    assert (entry.seq, entry.at, entry.action) == (2, 7, "feedback.revoke")
    assert names(connection)[entry.actor] == "user acme/acme/ann"
    assert json.loads(entry.detail) == {"who": [entry.actor], "why": "ö"}
    assert "ann" not in str(entry)
    assert entries(connection, after=1) == [entry]


def test_the_hash_is_as_documented(record: Record, installation: Installation) -> None:
    first, second = record(), record("router.unfreeze", at=12, detail={"a": 1})
    texts = ["polyculture audit entry", first.hash, "3", "12", "gateway", "router.unfreeze", "", '{"a":1}']
    framed = b"".join(len(text.encode()).to_bytes(4, "big") + text.encode() for text in texts)
    assert second.hash == hashlib.sha256(framed).hexdigest()
    assert signed(installation.public, "audit entry", second.hash, second.signature)


def test_the_first_entry_tells_the_key_that_signs(
    connection: sa.Connection, record: Record, installation: Installation
) -> None:
    record()
    first = entries(connection)[0]
    assert (first.seq, first.previous, first.action) == (1, "", "audit.signing_key")
    assert json.loads(first.detail) == {"public": installation.public}


def test_the_head_is_the_newest_entry_signed(
    connection: sa.Connection, record: Record, installation: Installation
) -> None:
    assert newest(connection) is None
    for _ in range(3):
        last = record()
    head = newest(connection)
    assert head is not None
    assert (head.seq, head.hash, head.public) == (4, last.hash, installation.public)
    assert signed(head.public, "audit head", head.message(), head.signature)


def test_an_entry_goes_with_the_transaction_that_it_tells_of(
    connection: sa.Connection, record: Record, installation: Installation
) -> None:
    record()
    before = newest(connection)
    with suppress(ZeroDivisionError), begin(connection):
        audit = Audit(installation=installation)
        audit.record(Transaction(connection=connection, position=0), actor=ANN, action="router.freeze")
        raise ZeroDivisionError
    assert newest(connection) == before
    assert names(connection) == {}
    assert record().seq == 3


def test_details_are_plain(record: Record) -> None:
    with pytest.raises(TypeError, match="cannot hold a bytes"):
        record(detail={"prompt": b"Hello"})
