"""API keys: made, listed, changed, rotated and revoked. What is done holds from the next request on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from pydantic import Field

from gateway.admin.orders import Ordering
from gateway.config import Section
from gateway.decoding import merged, parse, validated
from gateway.errors import BadRequest, Conflict, TenantNotFound
from gateway.governance.identity import Identity
from gateway.keys import NewKey, Principal, Terms, load
from gateway.keys.grants import Grant, change, create, found, instant, listed, revoke, rotate
from gateway.limits.use import Use
from gateway.models.keylike import keylike
from gateway.operations import delete, get, patch, post
from gateway.transaction import Transaction

T = TypeVar("T")

KeyId = Annotated[str, msgspec.Meta(pattern="^key_[0-9a-f]{16}$")]


class KeyPage(msgspec.Struct, forbid_unknown_fields=True):
    """Which keys: of a tenant, by how they stand; those past ``after``, an id."""

    tenant: str | None = None
    state: Literal["active", "expired", "revoked"] | None = None
    after: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


class KeyAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which key."""

    id: KeyId


class KeyMaking(msgspec.Struct):
    """A key to be made: :class:`gateway.keys.NewKey` as JSON."""

    data: bytes


class KeyChange(msgspec.Struct):
    """A merge patch (RFC 7396) of a key's terms."""

    id: KeyId
    data: bytes


class KeyRotation(msgspec.Struct):
    """Which key, and for how long the old secret stays valid: a :class:`Rotation` as JSON."""

    id: KeyId
    data: bytes


class Rotation(Section):
    """How a key is rotated."""

    overlap_hours: float = Field(24.0, ge=0, le=8760, description="How long the old secret stays valid, in hours.")


class SecretShown(msgspec.Struct):
    """One of a key's secrets, by how it begins and its digest's end."""

    hint: str
    expires_at: str | None


class KeyShown(msgspec.Struct):
    """A key. ``terms`` are what it was given for, none for those of the environment.

    ``use`` is what is taken of its limits, told where one key is asked for; ``secret`` is told once.
    """

    id: str
    name: str
    tenant: str
    origin: Literal["api", "environment"]
    state: Literal["active", "expired", "revoked"]
    created_at: str | None
    revoked_at: str | None
    secrets: list[SecretShown]
    terms: dict[str, Any] | None
    use: Use | None = None
    secret: str | None = None


class KeyList(msgspec.Struct):
    """A page of keys."""

    data: list[KeyShown]
    has_more: bool


class Keyholding(Ordering):
    """``/admin/v1/keys``."""

    @post(
        "/admin/v1/keys",
        "Make an API key",
        asked=KeyMaking,
        body=NewKey,
        answer=KeyShown,
        status=201,
        errors="404 409 503",
    )
    async def create(self, principal: Principal, asked: KeyMaking) -> KeyShown:
        """Its secret is in the answer, and nowhere else."""
        wanted = validated(NewKey, _said(asked.data))
        if wanted.tenant not in self._tenants:
            raise TenantNotFound(f"The configuration has no tenant {wanted.tenant!r}.", param="tenant")
        self._check(wanted)
        made, secret = await self._do(principal, "key.create", partial(create, wanted), lambda each: each[0])
        return shown(made, secret=secret)

    @get("/admin/v1/keys", "List API keys", asked=KeyPage, answer=KeyList)
    async def list(self, principal: Principal, asked: KeyPage) -> KeyList:
        """Never a secret."""
        keys = [shown(each) for each in await asyncio.to_thread(self._all)]
        keys = [each for each in keys if asked.tenant in (None, each.tenant) and asked.state in (None, each.state)]
        names = [each.id for each in keys]
        start = names.index(asked.after) + 1 if asked.after in names else 0
        return KeyList(keys[start : start + asked.limit], len(keys) > start + asked.limit)

    @get("/admin/v1/keys/{id}", "Show an API key", asked=KeyAsked, answer=KeyShown, errors="404")
    async def show(self, principal: Principal, asked: KeyAsked) -> KeyShown:
        """What it was given for, and how it stands."""
        with self._service.engine.connect() as connection:
            grant = found(connection, asked.id)
        return shown(grant, use=self._service.limits.use(grant.tenant, grant.id, grant.name))

    @patch(
        "/admin/v1/keys/{id}",
        "Change what a key is for",
        asked=KeyChange,
        body=Terms,
        answer=KeyShown,
        errors="404 409 503",
    )
    async def change(self, principal: Principal, asked: KeyChange) -> KeyShown:
        """By a merge patch: what is not said stays, ``null`` gives the default."""
        _not_oneself(principal, asked.id)
        said = _said(asked.data)

        def work(transaction: Transaction) -> Grant:
            now = found(transaction.connection, asked.id)
            document = {} if now.terms is None else now.terms.model_dump(mode="json")
            terms = validated(Terms, merged(document, said))
            self._check(terms)
            return change(asked.id, terms, transaction)

        return shown(await self._do(principal, "key.change", work, lambda each: each))

    @post(
        "/admin/v1/keys/{id}/rotate",
        "Give a key a new secret",
        asked=KeyRotation,
        body=Rotation,
        answer=KeyShown,
        errors="404 409 503",
    )
    async def rotate(self, principal: Principal, asked: KeyRotation) -> KeyShown:
        """The old one stays valid for the overlap."""
        wanted = validated(Rotation, parse(asked.data or b"{}"))
        work = partial(rotate, asked.id, wanted.overlap_hours * 3600.0)
        made, secret = await self._do(principal, "key.rotate", work, lambda each: each[0])
        return shown(made, secret=secret)

    @delete("/admin/v1/keys/{id}", "Revoke an API key", asked=KeyAsked, answer=KeyShown, errors="404 409 503")
    async def revoke(self, principal: Principal, asked: KeyAsked) -> KeyShown:
        """The next request with it is refused."""
        _not_oneself(principal, asked.id)
        return shown(await self._do(principal, "key.revoke", partial(revoke, asked.id), lambda each: each))

    async def _do(
        self, principal: Principal, action: str, work: Callable[[Transaction], T], whom: Callable[[T], Grant]
    ) -> T:
        """Do it, with its entry in the audit log; once that is on disk, the ring knows the keys as they are now."""

        def do(transaction: Transaction) -> tuple[T, dict[bytes, Principal]]:
            result = work(transaction)
            grant = whom(result)
            terms = {} if grant.terms is None else grant.terms.model_dump(mode="json", exclude_defaults=True)
            holder = Principal(grant.name, grant.tenant, grant.scope)
            tenant = Identity(kind="tenant", tenant=grant.tenant)
            self._service.audit.record(
                transaction,
                actor=Identity.of(principal),
                action=action,
                subject=Identity.of(holder),
                detail={"key": grant.id, "tenant": tenant, "terms": terms},
            )
            return result, load(transaction.connection)

        result, principals = await self._service.log.transact(do)
        self._service.keys.ring.replace(principals)
        self._service.limits.issue(principals.values())
        return result

    def _check(self, terms: Terms) -> None:
        """Raises :class:`BadRequest` where the terms name what there is not."""
        self._known(terms.preferences or (), param="preferences")
        self._known([terms.limits.soft_model], param="limits.soft_model")

    def _all(self) -> Sequence[Grant]:
        with self._service.engine.connect() as connection:
            return listed(connection)


def _said(data: bytes) -> Any:
    """The document that was sent. Raises :class:`BadRequest` where it holds what looks like a key."""
    document = parse(data)
    if (place := keylike(document)) is not None:
        raise BadRequest("This looks like a key itself: names are shown, keys are not.", param=place or None)
    return document


def _not_oneself(principal: Principal, key: str) -> None:
    """Nobody locks themselves out. Raises :class:`Conflict`."""
    if principal.key == key:
        raise Conflict("A key cannot change or revoke itself: use another admin key.", param="id")


def shown(grant: Grant, *, use: Use | None = None, secret: str | None = None) -> KeyShown:
    """A key as the API tells it."""
    ends = None if grant.terms is None else grant.terms.expires_at
    expired = ends is not None and ends.timestamp() <= time.time()
    return KeyShown(
        id=grant.id,
        name=grant.name,
        tenant=grant.tenant,
        origin=grant.origin,
        state="revoked" if grant.revoked is not None else "expired" if expired else "active",
        created_at=instant(grant.at),
        revoked_at=instant(grant.revoked),
        secrets=[SecretShown(each.hint, instant(each.until)) for each in grant.secrets],
        terms=None if grant.terms is None else grant.terms.model_dump(mode="json"),
        use=use,
        secret=secret,
    )
