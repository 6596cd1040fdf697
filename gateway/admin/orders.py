"""What all orders to the router have in common: whom they concern, how they are noted, what is said if they fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec

from gateway.errors import BadRequest, Conflict, TenantNotFound, Unprocessable, VersionNotFound
from gateway.events import EVERYONE
from gateway.governance.identity import Identity
from gateway.keys import DEFAULT_TENANT, Principal
from gateway.operations import Group
from gateway.routing import AUTO
from gateway.service import Service
from gateway.transaction import Transaction
from gateway.versions.steering import Refused, Steering
from gateway.versions.version import UnknownVersion
from gateway.versions.versions import Also, OutOfReach, Versions

TenantName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Note = Annotated[str, msgspec.Meta(max_length=1000)]


class Ordering(Group):
    """Operations that change what the router knows, or how it learns."""

    def __init__(self, *, service: Service) -> None:
        super().__init__(service=service)
        self._versions = Versions(engine=service.engine, log=service.log, learner=service.learner)
        self._steering = Steering(log=service.log, learner=service.learner)

    @property
    def _tenants(self) -> set[str]:
        """The tenants of the configuration."""
        return {DEFAULT_TENANT, *self._service.configured.tenants}

    def _whom(self, tenant: str | None) -> str:
        """The tenant that is meant; ``None`` means everyone. Raises :class:`TenantNotFound`."""
        if tenant is None:
            return EVERYONE
        if tenant not in self._tenants and tenant not in self._service.learner.fold.states:
            raise TenantNotFound(f"There is no tenant {tenant!r}.", param="tenant")
        return tenant

    def _known(self, names: Iterable[str | None], *, param: str) -> None:
        """Raises :class:`BadRequest` where there is no such way of choosing."""
        known = [AUTO, *(f"{AUTO}:{name}" for name in self._service.configuration.routing.preferences)]
        for name in names:
            if name is not None and name not in known:
                raise BadRequest(f"There is no {name!r} here; known are {', '.join(known)}.", param=param)

    def _whose(self, tenant: str | None) -> str | None:
        """The tenant whose entries are to be listed, ``None`` for all. Raises :class:`TenantNotFound`."""
        return None if tenant is None else self._whom(tenant)

    def _noted(self, principal: Principal, action: str, *, tenant: str = EVERYONE, **detail: object) -> Also:
        """Writes the audit entry of an order, in the transaction that carries it out."""
        whom = {"tenant": Identity(kind="tenant", tenant=tenant)} if tenant else {}

        def note(transaction: Transaction) -> None:
            actor = Identity.of(principal)
            self._service.audit.record(transaction, actor=actor, action=action, detail={**detail, **whom})

        return note


@contextmanager
def told() -> Iterator[None]:
    """Tells what cannot be done in the API's errors."""
    try:
        yield
    except UnknownVersion as error:
        raise VersionNotFound(_sentence(error), param="version") from error
    except OutOfReach as error:
        raise Conflict(_sentence(error)) from error
    except Refused as error:
        raise Unprocessable(f"{error}.") from error


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
