"""Keys in the database: hashed, each with what it was given for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import sqlalchemy as sa
import structlog

from gateway.config import ConfigurationError
from gateway.database import begin
from gateway.keys.principal import KeyScope, Principal
from gateway.keys.ring import KeyRing
from gateway.keys.secret import digest, generate, name_of
from gateway.keys.terms import Terms
from gateway.schema import grants, keys
from gateway.transaction import Transaction

#: The scope of what is kept of keys that were revoked, or whose tenant was erased: digests, so that nobody comes back.
RETIRED = "retired"

_logger = structlog.get_logger("polyculture.keys")


class Ensured(NamedTuple):
    """The ring, and the secrets made just now: they are shown once and never again."""

    ring: KeyRing
    made: dict[str, str]


def load(connection: sa.Connection) -> dict[bytes, Principal]:
    """All keys that may be valid, by digest."""
    granted = {row.id: row for row in connection.execute(sa.select(grants).where(grants.c.revoked.is_(None)))}
    found: dict[bytes, Principal] = {}
    for row in connection.execute(sa.select(keys).where(keys.c.scope != RETIRED)):
        if not row.key:
            found[row.digest] = Principal(row.name, row.tenant, row.scope, key=name_of(row.digest))
        elif (grant := granted.get(row.key)) is not None:
            terms = Terms.model_validate_json(grant.document)
            ends = [] if terms.expires_at is None else [terms.expires_at.timestamp()]
            ends += [] if row.until is None else [row.until / 1e6]
            scope: KeyScope = "admin" if terms.administers else "data"
            found[row.digest] = Principal(grant.name, grant.tenant, scope, terms, grant.id, min(ends, default=None))
    return found


def ensure(
    connection: sa.Connection,
    *,
    given: Mapping[Principal, str | None],
    added: Callable[[Transaction, Principal], object],
) -> Ensured:
    """Load all keys; store those given, each in the place of what was given before; make one for each principal that
    has none at all. Who is given none any more, being no such principal, has none.

    ``added`` is told of each new key, within the transaction that stores it.

    Raises :class:`ConfigurationError` when two principals are given one key.
    """
    retired = set(connection.execute(sa.select(keys.c.digest).where(keys.c.scope == RETIRED)).scalars())
    principals = load(connection)
    valid = {principal[:3]: None if secret is None else digest(secret) for principal, secret in given.items()}
    replaced = [
        key
        for key, each in principals.items()
        if each.terms is None and (each[:3] not in valid or valid[each[:3]] not in (None, key))
    ]
    for key in replaced:
        del principals[key]
    known = {principal[:3] for principal in principals.values() if principal.terms is None}
    made: dict[str, str] = {}
    fresh: dict[bytes, Principal] = {}
    for principal, secret in given.items():
        if secret is None and principal[:3] not in known:
            secret = made[principal.name] = generate(principal.scope)
        if secret is None:
            continue
        if digest(secret) in retired:
            _logger.warning(
                "key_retired", key=principal.name, hint="it was revoked, or its tenant erased: give another"
            )
            continue
        owner = {**principals, **fresh}.get(digest(secret))
        if owner is None:
            fresh[digest(secret)] = principal._replace(key=name_of(digest(secret)))
        elif owner[:3] != principal[:3]:
            raise ConfigurationError(f"{owner.name} and {principal.name} have the same key: give each its own")
    if fresh or replaced:
        at = int(time.time() * 1e6)
        with begin(connection):
            connection.execute(keys.delete().where(keys.c.digest.in_(replaced)))
            for key, principal in fresh.items():
                row = {"digest": key, "name": principal.name, "tenant": principal.tenant, "scope": principal.scope}
                connection.execute(keys.insert(), {**row, "at": at})
                added(Transaction(connection=connection, position=0, at=at), principal)
    return Ensured(KeyRing(principals={**principals, **fresh}), made)


def retire(connection: sa.Connection, tenant: str) -> list[str]:
    """Strip a tenant's keys of all but their digests, within the caller's transaction; returns their names.

    The admin key that the environment gives is the installation's, whatever tenant it is filed under.
    """
    whose = sa.and_(keys.c.tenant == tenant, sa.or_(keys.c.scope == "data", keys.c.key != ""))
    names = list(connection.execute(sa.select(keys.c.name).where(whose).distinct()).scalars())
    strip(connection, whose)
    return names


def strip(connection: sa.Connection, whose: sa.ColumnElement[bool]) -> int:
    """Leave nothing of these secrets but their digests; returns how many there were."""
    nobody = {"name": "", "tenant": "", "scope": RETIRED, "at": 0, "key": "", "until": None}
    return connection.execute(keys.update().where(whose).values(**nobody)).rowcount
