"""Limits of tenants that admins ordered, as they are kept: they stand in the place of the configuration's."""

from __future__ import annotations

import sqlalchemy as sa

from gateway.config import Limits
from gateway.schema import tenant_limits
from gateway.transaction import Transaction


def ordered(connection: sa.Connection) -> dict[str, Limits]:
    """All of them, by tenant."""
    rows = connection.execute(sa.select(tenant_limits))
    return {row.tenant: Limits.model_validate_json(row.document) for row in rows}


def order(tenant: str, limits: Limits | None, transaction: Transaction) -> dict[str, Limits]:
    """Let these hold for a tenant, or with ``None`` the configuration's again; returns all of them."""
    connection = transaction.connection
    connection.execute(tenant_limits.delete().where(tenant_limits.c.tenant == tenant))
    if limits is not None:
        row = {"tenant": tenant, "at": transaction.at, "document": limits.model_dump_json()}
        connection.execute(tenant_limits.insert(), row)
    return ordered(connection)
