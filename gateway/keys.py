"""Who is asking: API keys, hashed at rest, looked up in memory."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import sqlalchemy as sa
import structlog

from gateway.config import ConfigurationError
from gateway.database import begin
from gateway.errors import Forbidden, Unauthenticated
from gateway.http import Scope, header
from gateway.schema import keys
from gateway.transaction import Transaction

KeyScope = Literal["data", "admin"]

#: The tenant of the first key, and of installations with only one.
DEFAULT_TENANT = "default"


#: The scope of what is kept of an erased tenant's keys: their digests, so that nobody comes back by one.
RETIRED = "retired"

_logger = structlog.get_logger("polyculture.keys")


class Principal(NamedTuple):
    """An authenticated caller."""

    name: str
    tenant: str
    scope: KeyScope


def digest(secret: str | bytes) -> bytes:
    """What is stored of a key: keys are long and random, so a plain SHA-256 is enough."""
    return hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).digest()


def generate(scope: KeyScope) -> str:
    """A new secret of 192 random bits."""
    return f"{'pca' if scope == 'admin' else 'pc'}-{secrets.token_urlsafe(24)}"


class KeyRing:
    """All valid keys, by digest."""

    def __init__(self, *, principals: Mapping[bytes, Principal]) -> None:
        self._principals = dict(principals)
        self._forgotten: set[str] = set()

    def authenticate(self, scope: Scope) -> Principal:
        """The caller, by ``Authorization: Bearer`` or ``x-api-key``. Raises :class:`Unauthenticated`."""
        principal = self._holder(scope)
        if principal.tenant in self._forgotten:
            raise Unauthenticated("The API key is not valid here.")
        return principal

    def _holder(self, scope: Scope) -> Principal:
        value = header(scope, b"authorization")
        if value is not None and value[:7].lower() == b"bearer ":
            secret = value[7:].strip()
        else:
            secret = header(scope, b"x-api-key") or b""
        if not secret:
            raise Unauthenticated("No API key was given. Send it as 'Authorization: Bearer <key>'.")
        principal = self._principals.get(digest(secret))
        if principal is None:
            raise Unauthenticated("The API key is not valid here.")
        return principal

    def forget(self, tenant: str) -> None:
        """Let nobody of this tenant in any more; its admins still administer the installation."""
        self._forgotten.add(tenant)

    def admin(self, scope: Scope) -> Principal:
        """The caller, who must hold an admin key. Raises :class:`Forbidden`."""
        principal = self._holder(scope)
        if principal.scope != "admin":
            raise Forbidden("This needs an admin key.")
        return principal


class Ensured(NamedTuple):
    """The ring, and the secrets made just now: they are shown once and never again."""

    ring: KeyRing
    made: dict[str, str]


def ensure(
    connection: sa.Connection,
    *,
    given: Mapping[Principal, str | None],
    added: Callable[[Transaction, Principal], object],
) -> Ensured:
    """Load all keys; store those given; make one for each principal that has none at all.

    ``added`` is told of each new key, within the transaction that stores it.

    Raises :class:`ConfigurationError` when two principals are given one key.
    """
    rows = connection.execute(sa.select(keys)).all()
    retired = {row.digest for row in rows if row.scope == RETIRED}
    principals = {row.digest: Principal(row.name, row.tenant, row.scope) for row in rows if row.scope != RETIRED}
    known = set(principals.values())
    made: dict[str, str] = {}
    fresh: dict[bytes, Principal] = {}
    for principal, secret in given.items():
        if secret is None and principal not in known:
            secret = made[principal.name] = generate(principal.scope)
        if secret is None:
            continue
        if digest(secret) in retired:
            _logger.warning("key_retired", key=principal.name, hint="its tenant was erased: give it another key")
            continue
        owner = {**principals, **fresh}.get(digest(secret))
        if owner is None:
            fresh[digest(secret)] = principal
        elif owner != principal:
            raise ConfigurationError(f"{owner.name} and {principal.name} have the same key: give each its own")
    if fresh:
        at = int(time.time() * 1e6)
        with begin(connection):
            connection.execute(keys.insert(), [{"digest": d, **p._asdict(), "at": at} for d, p in fresh.items()])
            for principal in fresh.values():
                added(Transaction(connection=connection, position=0, at=at), principal)
    return Ensured(KeyRing(principals={**principals, **fresh}), made)


def retire(connection: sa.Connection, tenant: str) -> list[str]:
    """Strip a tenant's keys of all but their digests, within the caller's transaction; returns their names."""
    whose = sa.and_(keys.c.tenant == tenant, keys.c.scope == "data")
    names = list(connection.execute(sa.select(keys.c.name).where(whose)).scalars())
    connection.execute(keys.update().where(whose).values(name="", tenant="", scope=RETIRED, at=0))
    return names
