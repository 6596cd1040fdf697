"""A database of its own for each test, and an audit log on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.database import begin
from gateway.governance.audit import Audit, AuditEntry
from gateway.governance.installation import Installation
from gateway.transaction import Transaction
from tests.log.conftest import engine, run

__all__ = ["engine", "run"]

#: Writes an entry, in a transaction of its own.
Record = Callable[..., AuditEntry]


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(data_dir=tmp_path)


@pytest.fixture
def record(connection: sa.Connection, installation: Installation) -> Record:
    audit = Audit(installation=installation)

    def write(action: str = "router.freeze", *, at: int = 1, actor: Any = "gateway", **fields: Any) -> AuditEntry:
        with begin(connection):
            transaction = Transaction(connection=connection, position=0, at=at)
            return audit.record(transaction, actor=actor, action=action, **fields)

    return write
