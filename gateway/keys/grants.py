"""Keys that admins make, change, rotate and revoke: each function is one step within a transaction of the log's."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Row

from gateway.errors import Conflict, KeyNotFound
from gateway.keys.principal import KeyScope
from gateway.keys.secret import digest, generate, name_of, prefix
from gateway.keys.store import RETIRED, strip
from gateway.keys.terms import NewKey, Terms
from gateway.schema import grants, keys
from gateway.transaction import Transaction

#: Digits of a digest that are shown, so that one secret can be told from another.
TAIL = 6


class Shown(NamedTuple):
    """A secret as it may be shown: how it begins, its digest's end, and when it ends (microseconds)."""

    hint: str
    until: int | None


class Grant(NamedTuple):
    """A key as it stands in the database; times in microseconds since the epoch.

    ``origin`` is ``environment`` for those that the environment or the configuration gives; they have no terms.
    """

    id: str
    name: str
    tenant: str
    scope: KeyScope
    origin: Literal["api", "environment"]
    at: int
    terms: Terms | None
    revoked: int | None
    secrets: tuple[Shown, ...]


def listed(connection: sa.Connection) -> list[Grant]:
    """All keys, those of the environment first, then by their making."""
    given: list[Grant] = []
    shown: dict[str, list[Shown]] = {}
    for row in connection.execute(sa.select(keys).where(keys.c.scope != RETIRED).order_by(keys.c.at, keys.c.digest)):
        secret = Shown(f"{prefix(row.scope)}...{row.digest.hex()[-TAIL:]}", row.until)
        if row.key:
            shown.setdefault(row.key, []).append(secret)
        else:
            name = name_of(row.digest)
            given.append(Grant(name, row.name, row.tenant, row.scope, "environment", row.at, None, None, (secret,)))
    made = connection.execute(sa.select(grants).order_by(grants.c.at, grants.c.id))
    return [*given, *(_grant(row, shown.get(row.id, [])) for row in made)]


def found(connection: sa.Connection, key: str) -> Grant:
    """The key of that id. Raises :class:`KeyNotFound`."""
    for grant in listed(connection):
        if grant.id == key:
            return grant
    raise KeyNotFound("There is no such key.", param="id")


def create(asked: NewKey, transaction: Transaction) -> tuple[Grant, str]:
    """Make a key; returns its secret too, which is not kept. Raises :class:`Conflict` where its name is taken."""
    for other in listed(transaction.connection):
        if (other.tenant, other.name) == (asked.tenant, asked.name) and other.revoked is None:
            raise Conflict(f"There is a key {asked.name!r} of {asked.tenant!r} already.", param="name")
    key = f"key_{secrets.token_hex(8)}"
    row = {"id": key, "tenant": asked.tenant, "name": asked.name, "at": transaction.at, "document": _document(asked)}
    transaction.connection.execute(grants.insert(), row)
    secret = _add_secret(transaction, key, asked.name, asked.tenant, _scope(asked))
    return found(transaction.connection, key), secret


def change(key: str, terms: Terms, transaction: Transaction) -> Grant:
    """Give a key other terms. Raises :class:`KeyNotFound`, and :class:`Conflict` where it cannot be changed."""
    grant = _changeable(transaction.connection, key)
    if _scope(terms) != grant.scope:
        raise Conflict("A data key stays one, and an admin key too: make another key.", param="scopes")
    transaction.connection.execute(grants.update().where(grants.c.id == key).values(document=_document(terms)))
    return found(transaction.connection, key)


def rotate(key: str, overlap_s: float, transaction: Transaction) -> tuple[Grant, str]:
    """A new secret; those before it end after the overlap. Raises as :func:`change` does."""
    grant = _changeable(transaction.connection, key)
    until = transaction.at + int(overlap_s * 1e6)
    sooner = sa.or_(keys.c.until.is_(None), keys.c.until > until)
    transaction.connection.execute(keys.update().where(keys.c.key == key, sooner).values(until=until))
    strip(transaction.connection, sa.and_(keys.c.key == key, keys.c.until <= transaction.at))
    secret = _add_secret(transaction, key, grant.name, grant.tenant, grant.scope)
    return found(transaction.connection, key), secret


def revoke(key: str, transaction: Transaction) -> Grant:
    """End a key, for good: one of the environment's too. Raises :class:`KeyNotFound`."""
    connection = transaction.connection
    grant = found(connection, key)
    if grant.origin == "api":
        strip(connection, keys.c.key == key)
        still = sa.and_(grants.c.id == key, grants.c.revoked.is_(None))
        connection.execute(grants.update().where(still).values(revoked=transaction.at))
        return found(connection, key)
    theirs = connection.execute(sa.select(keys.c.digest).where(keys.c.scope != RETIRED, keys.c.key == "")).scalars()
    strip(connection, keys.c.digest.in_([each for each in theirs if name_of(each) == key]))
    return grant._replace(revoked=transaction.at, secrets=())


def _changeable(connection: sa.Connection, key: str) -> Grant:
    grant = found(connection, key)
    if grant.origin != "api":
        raise Conflict("The environment or the configuration file gives this key: change it there.")
    if grant.revoked is not None:
        raise Conflict("This key was revoked.")
    return grant


def _add_secret(transaction: Transaction, key: str, name: str, tenant: str, scope: KeyScope) -> str:
    secret = generate(scope)
    row = {"digest": digest(secret), "name": name, "tenant": tenant, "scope": scope, "at": transaction.at, "key": key}
    transaction.connection.execute(keys.insert(), row)
    return secret


def _grant(row: Row[tuple[object, ...]], shown: list[Shown]) -> Grant:
    terms = Terms.model_validate_json(row.document)
    return Grant(row.id, row.name, row.tenant, _scope(terms), "api", row.at, terms, row.revoked, tuple(shown))


def _document(terms: Terms) -> str:
    return terms.model_dump_json(include=set(Terms.model_fields))


def _scope(terms: Terms) -> KeyScope:
    return "admin" if terms.administers else "data"


def instant(at: int | None) -> str | None:
    """Microseconds since the epoch as RFC 3339 says it."""
    return None if at is None else datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="seconds")
