"""All valid keys in memory: a look-up for each request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from gateway.errors import Forbidden, KeyExpired, Unauthenticated
from gateway.http import Scope, header
from gateway.keys.principal import DEFAULT_TENANT, Principal
from gateway.keys.secret import digest
from gateway.keys.terms import Power


class KeyRing:
    """All valid keys, by digest. ``clock`` gives seconds since the epoch."""

    def __init__(self, *, principals: Mapping[bytes, Principal], clock: Callable[[], float] = time.time) -> None:
        self._principals = dict(principals)
        self._clock = clock
        self._tenants = {each.tenant for each in principals.values()}
        self._forgotten: set[str] = set()

    def authenticate(self, scope: Scope, power: Power | None = "inference") -> Principal:
        """The caller, by ``Authorization: Bearer`` or ``x-api-key``, who must have this power; any key for ``None``.

        Raises :class:`Unauthenticated`, and :class:`Forbidden` where the key was not given for this.
        """
        principal = self._holder(scope)
        if principal.tenant not in self._tenants or principal.tenant in self._forgotten:
            raise Unauthenticated("The API key is not valid here.")
        if principal.terms is not None and power is not None and not principal.may(power):
            raise Forbidden(f"This key is not meant for {power}.")
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
        if principal.until is not None and principal.until <= self._clock():
            ended = datetime.fromtimestamp(principal.until, UTC).isoformat(timespec="seconds")
            raise KeyExpired(f"The API key expired at {ended}.")
        return principal

    @property
    def principals(self) -> list[Principal]:
        """Who holds a key."""
        return list(self._principals.values())

    def replace(self, principals: Mapping[bytes, Principal]) -> None:
        """Know these keys from here on, and no others."""
        self._principals = dict(principals)

    def declare(self, tenants: Iterable[str]) -> None:
        """Let these tenants in, and no others: one that left the configuration left its limits there."""
        self._tenants = {DEFAULT_TENANT, *tenants}

    def forget(self, tenant: str) -> None:
        """Let nobody of this tenant in any more; its admins still administer the installation."""
        self._forgotten.add(tenant)

    def admin(self, scope: Scope, *, looking: bool = False) -> Principal:
        """The caller, who must hold an admin key; one that may only look will do for ``looking``.

        Raises :class:`Forbidden`.
        """
        principal = self._holder(scope)
        if principal.may("admin") or (looking and principal.may("admin:read")):
            return principal
        if principal.may("admin:read"):
            raise Forbidden("This key may look, and change nothing.")
        raise Forbidden("This needs an admin key.")
