"""Who is let in by their limits: the key's and the tenant's, both or neither."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from gateway.config import UNLIMITED, Limits, Preference, Tenant
from gateway.errors import RateLimited
from gateway.events import Answer
from gateway.keys import Principal
from gateway.ledger import Spent
from gateway.limits.budget import Budget, Span, nanodollars
from gateway.limits.ceiling import NOTHING, Ceiling, Terms, ceiling, steepest
from gateway.limits.lease import Lease, soft_model, strained, told
from gateway.limits.quota import Kind, Quota, Share
from gateway.limits.use import Use
from gateway.permission import usable
from gateway.registry import Registry
from gateway.request import Reading
from gateway.routing import AUTO

#: Most bytes of a character, and of what introduces the corrections that a request is told.
BYTES, INTRODUCING = 4, 1024


class Limiter:
    """All quotas in memory; ``clock`` gives seconds since the epoch, ``ticks`` is monotonic.

    ``refused`` is told of requests that a limit refused, ``strained`` of those that found a budget past its soft stop.
    What is spent is counted for everyone, so that a budget that is set later knows of it.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        refused: Callable[[Quota, str], None] = lambda quota, limit: None,
        strained: Callable[[Quota, Span], None] = lambda quota, span: None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._refused = refused
        self._strained = strained
        self._clock = clock
        self._ticks = ticks
        self._tenants: dict[str, Tenant] = {}
        self._ordered: dict[str, Limits] = {}
        self._of_tenants: dict[str, Quota] = {}
        self._of_keys: dict[str, Quota] = {}
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._preferences: Mapping[str, Preference] = {}
        self._steepest: dict[tuple[str, str, tuple[str, ...] | None, frozenset[str]], list[Terms]] = {}
        self._revision = -1

    def configure(self, tenants: Iterable[Tenant], preferences: Mapping[str, Preference]) -> None:
        """Let these be the configuration's tenants, and its ways of choosing; limits that an admin ordered stand in
        place of the tenants' own.
        """
        self._preferences = preferences
        self._tenants = {tenant.id: tenant for tenant in tenants}
        self._steepest.clear()
        self._arrange()

    def order(self, ordered: Mapping[str, Limits]) -> None:
        """Let these be the limits of tenants that admins ordered."""
        self._ordered = dict(ordered)
        self._arrange()

    def issue(self, principals: Iterable[Principal]) -> None:
        """Let these be the keys."""
        limited = {
            each.key: (each, each.terms.limits)
            for each in principals
            if each.terms is not None and not each.terms.limits.unlimited
        }
        for key in self._of_keys.keys() - limited.keys():
            self._of_keys.pop(key).set(UNLIMITED)
        for key, (each, limits) in limited.items():
            quota = self._of_keys.get(key) or self._quota("key", each.tenant, each.name)
            quota.set(limits)
            self._of_keys[key] = quota

    def limits(self, tenant: str) -> Limits:
        """What holds for a tenant."""
        declared = self._tenants[tenant].limits if tenant in self._tenants else UNLIMITED
        return self._ordered.get(tenant, declared)

    def overrules(self, tenant: str) -> bool:
        """Whether an admin ordered other limits than the configuration's."""
        return tenant in self._ordered

    def use(self, tenant: str, key: str = "", name: str = "") -> Use:
        """What is taken of a tenant's limits, or of those of its key with that id and name."""
        quota = self._of_keys.get(key) if key else self._of_tenants.get(tenant)
        return Use.of(self.budget(tenant, name), quota)

    def of(self, principal: Principal) -> list[Quota]:
        """The caller's quotas: its key's, its tenant's, both or none."""
        key, tenant = self._of_keys.get(principal.key), self._of_tenants.get(principal.tenant)
        if key is None:
            return [] if tenant is None else [tenant]
        return [key] if tenant is None else [key, tenant]

    def admit(self, principal: Principal, reading: Reading, *, size: int, anthropic: bool = False) -> Lease | None:
        """What a request of so many bytes holds until it is over; ``None`` for a caller without limits.

        Raises :class:`RateLimited`, having taken nothing.
        """
        quotas = self.of(principal)
        if not quotas:
            return None
        longest, measured = None, False
        for quota in quotas:
            measured = measured or quota.measures
            if (cap := quota.limits.answer_tokens) is not None and (longest is None or cap < longest):
                longest = cap
        strains = strained(quotas) if measured else []
        most = self._ceiling(principal, reading, size, longest, soft_model(strains)) if measured else NOTHING
        shares: list[Share] = []
        for quota in quotas:
            try:
                shares.append(quota.take(most))
            except RateLimited as error:
                for share in shares:
                    share.undo()
                self._refused(quota, error.limit)
                error.standing = told(quotas, anthropic=anthropic)
                raise
        for quota, standing in strains:
            self._strained(quota, standing.span)
        return Lease(quotas=quotas, shares=shares, strained=strains, answer_tokens=longest)

    def budget(self, tenant: str, key: str = "") -> Budget:
        """The money of a tenant, or of one of its keys by name."""
        found = self._budgets.get((tenant, key))
        if found is None:
            found = self._budgets[tenant, key] = Budget(clock=self._clock)
        return found

    def restore(self, spent: Iterable[Spent]) -> None:
        """Know what was spent before, by the ledger."""
        for each in spent:
            for budget in (self.budget(each.tenant), self.budget(each.tenant, each.key)):
                budget.spend(each.day, "day")
                budget.spend(each.month, "month")

    def settle(self, principal: Principal, lease: Lease | None, answer: Answer) -> None:
        """A request of the caller's is over: what it really took is known."""
        counted = answer.counted
        if counted.cost:
            cost = nanodollars(counted.cost)
            self.budget(principal.tenant).spend(cost)
            self.budget(principal.tenant, principal.name).spend(cost)
        if lease is not None:
            lease.settle(counted.input_tokens + counted.output_tokens)

    def _ceiling(self, principal: Principal, reading: Reading, size: int, longest: int | None, instead: str) -> Ceiling:
        """The most that a request can take; of what is passed on unread nothing is known, and nothing is counted.

        ``instead`` is what ``auto`` means past a budget's soft stop.
        """
        if reading.endpoint not in ("chat", "embeddings"):
            return NOTHING
        if reading.model.partition(":")[0] == AUTO:
            preference = self._preferences.get((instead or reading.model).partition(":")[2])
            tags = frozenset() if preference is None else preference.tags
            models = self._candidates(principal, reading.endpoint, tags)
        else:
            forced = self._registry.get(reading.model)
            models = [] if forced is None else [Terms.of(forced.card)]
        tenant = self._tenants.get(principal.tenant)
        if tenant is not None and tenant.corrections.enabled:
            size += BYTES * tenant.corrections.characters + INTRODUCING
        return ceiling(models, reading, size=size, answer_tokens=longest)

    def _candidates(self, principal: Principal, endpoint: str, tags: frozenset[str]) -> list[Terms]:
        """The steepest terms of those who may answer this caller."""
        if self._revision != self._registry.revision:
            self._revision = self._registry.revision
            self._steepest.clear()
        key = (endpoint, principal.tenant, principal.models, tags)
        found = self._steepest.get(key)
        if found is None:
            tenant = self._tenants.get(principal.tenant)
            models = [model for model in self._registry if model.standing.state not in ("disabled", "shadow")]
            cards = [model.card for model in models if usable(model.id, principal, tenant)]
            found = self._steepest[key] = steepest(c for c in cards if c.endpoint == endpoint and tags <= c.tags)
        return found

    def _arrange(self) -> None:
        """Bring the tenants' quotas in line with what is declared and what was ordered."""
        wanted = {name: self.limits(name) for name in (*self._tenants, *self._ordered)}
        limited = {name: limits for name, limits in wanted.items() if not limits.unlimited}
        for name, limits in limited.items():
            quota = self._of_tenants.get(name) or self._quota("tenant", name)
            quota.set(limits)
            self._of_tenants[name] = quota
        for name in self._of_tenants.keys() - limited.keys():
            self._of_tenants.pop(name).set(UNLIMITED)

    def _quota(self, kind: Kind, tenant: str, key: str = "") -> Quota:
        return Quota(kind=kind, tenant=tenant, key=key, budget=self.budget(tenant, key), clock=self._ticks)
