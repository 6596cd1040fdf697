"""Who an audit entry speaks of: a pseudonym, which only a salt that can be shredded ties to a name.

A pseudonym is ``HMAC-SHA256(salt, name)`` with 256 random bits of salt for each identity. Once the salt is gone,
nobody can tell whom the pseudonym stood for, nor find it by guessing names; the audit log's chain stays as it is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from gateway.events import EVERYONE
from gateway.keys import Principal
from gateway.schema import salts

#: Bytes of a salt; hexadecimal digits of a pseudonym.
SALT, DIGITS = 32, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A tenant, a key of a tenant's, or an end user of a tenant's (the source of feedback, ``key/user``)."""

    kind: Literal["tenant", "key", "user"]
    tenant: str
    name: str = ""

    @classmethod
    def of(cls, principal: Principal) -> Identity:
        """The key that a caller holds; admin keys are the installation's, whatever tenant they are filed under."""
        return cls(kind="key", tenant=EVERYONE if principal.scope == "admin" else principal.tenant, name=principal.name)

    def __str__(self) -> str:
        return f"{self.kind} {'/'.join(filter(None, (self.tenant, self.name)))}"

    def pseudonym(self, salt: bytes) -> str:
        """What stands for it in the audit log."""
        return f"{self.kind}:{hmac.new(salt, str(self).encode(), hashlib.sha256).hexdigest()[:DIGITS]}"


def pseudonym(connection: sa.Connection, identity: Identity) -> str:
    """The identity's pseudonym, within the caller's transaction."""
    return identity.pseudonym(salt(connection, identity))


def salt(connection: sa.Connection, identity: Identity) -> bytes:
    """The identity's salt; one never named before gets a new one, within the caller's transaction."""
    found: bytes | None = connection.execute(sa.select(salts.c.salt).where(_is(identity))).scalar()
    if found is None:
        found = secrets.token_bytes(SALT)
        row = {"kind": identity.kind, "tenant": identity.tenant, "name": identity.name, "salt": found}
        connection.execute(salts.insert(), row)
    return found


def names(connection: sa.Connection) -> dict[str, str]:
    """Whom each pseudonym stands for, where that can still be told."""
    found: dict[str, str] = {}
    for row in connection.execute(sa.select(salts)):
        identity = Identity(kind=row.kind, tenant=row.tenant, name=row.name)
        found[identity.pseudonym(row.salt)] = str(identity)
    return found


def shred(connection: sa.Connection, identity: Identity) -> int:
    """Forget the salt, of a tenant those of its keys and users too; returns how many went."""
    of = salts.c.tenant == identity.tenant if identity.kind == "tenant" else _is(identity)
    return connection.execute(salts.delete().where(of)).rowcount


def _is(identity: Identity) -> sa.ColumnElement[bool]:
    return sa.and_(salts.c.kind == identity.kind, salts.c.tenant == identity.tenant, salts.c.name == identity.name)
