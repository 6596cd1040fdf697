"""The configuration file, read again: whoever is served notices nothing, and what is wrong changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from gateway import assembly
from gateway.alignment import align
from gateway.config import Configuration, ConfigurationError
from gateway.declaration import examine
from gateway.errors import Conflict, GatewayError, Unprocessable
from gateway.governance.audit import GATEWAY
from gateway.governance.identity import Identity
from gateway.keys import load
from gateway.log import LogUnavailable
from gateway.models.entry import Entry, entries, given
from gateway.models.revisions import latest
from gateway.reload.plan import Plan
from gateway.service import Service
from gateway.transaction import Transaction

_logger = structlog.get_logger("polyculture.reload")


class Reloaded(msgspec.Struct):
    """What reading the file again did, or in a ``dry_run`` would do: models by their ids, other fields by their paths.

    Those in ``needs_restart`` stay as they were until then.
    """

    dry_run: bool
    models_added: list[str]
    models_changed: list[str]
    models_removed: list[str]
    changed: list[str]
    needs_restart: list[str]


class Reloader:
    """Reads the file again for a running service."""

    def __init__(self, *, service: Service) -> None:
        self._service = service
        self._heard: set[asyncio.Task[None]] = set()

    async def reload(self, *, dry_run: bool = False, actor: Identity | str = GATEWAY) -> Reloaded:
        """Take the file as it is now. Raises :class:`Unprocessable` where it is not sound, and then changes nothing."""
        service = self._service
        path = service.settings.config
        if path is None:
            raise Conflict("This gateway was started without a configuration file.")
        async with service.registrar.changing:
            plan = Plan.of(service.configuration, await _read(path))
            declared = await asyncio.to_thread(self._declared, plan.configuration)
            told = self._told(plan, declared, dry_run=dry_run)
            try:
                stock = service.registrar.prepared(declared)
                if not dry_run:
                    await asyncio.to_thread(self._keys, plan.configuration)
                    await self._noted(told, plan.configuration, actor)
                    await align(
                        plan.configuration,
                        [model for _, model in stock],
                        space=service.registrar.space,
                        frozen=None,
                        log=service.log,
                        learner=service.learner,
                        audit=service.audit,
                    )
                    service.registrar.take(stock)
                    self._adopt(plan.configuration)
            except ConfigurationError as error:
                raise Unprocessable(f"The configuration cannot be used, and the old one stays: {error}.") from error
        return told

    def hear(self) -> None:
        """The same on a signal: what comes of it is logged."""
        task = asyncio.get_running_loop().create_task(self._signalled(), name="reload")
        self._heard.add(task)
        task.add_done_callback(self._heard.discard)

    async def _signalled(self) -> None:
        try:
            told = await self.reload()
        except (GatewayError, LogUnavailable) as error:
            _logger.error("configuration_refused", reason=str(error))
        else:
            _logger.info("configuration_reloaded", **msgspec.structs.asdict(told))

    def _declared(self, configuration: Configuration) -> dict[str, Entry]:
        with self._service.engine.connect() as connection:
            return entries(given(configuration, self._service.registrar.specialists), latest(connection))

    def _keys(self, configuration: Configuration) -> None:
        """Let tenants in by keys that they did not have before."""
        service = self._service
        with service.engine.connect() as connection:
            assembly.keys(connection, service.settings, configuration, service.audit)
            service.keys.ring.replace(load(connection))

    async def _noted(self, told: Reloaded, after: Configuration, actor: Identity | str) -> None:
        tenants = sorted({*self._service.configured.tenants, *(each.id for each in after.tenants)})

        def write(transaction: Transaction) -> None:
            detail = _entry(told, tenants)
            self._service.audit.record(transaction, actor=actor, action="configuration.reload", detail=detail)

        await self._service.log.transact(write)

    def _adopt(self, configuration: Configuration) -> None:
        service = self._service
        service.configured.adopt(configuration)
        service.keys.ring.declare(service.configured.tenants)
        service.guard.gate.adopt(configuration.routing.gate)
        service.limits.configure(configuration.tenants, configuration.routing.preferences)
        service.limits.issue(service.keys.ring.principals)
        service.prompts.adopt(each.id for each in configuration.tenants if each.store_prompts)
        service.retention.adopt(configuration)

    def _told(self, plan: Plan, declared: dict[str, Entry], *, dry_run: bool) -> Reloaded:
        known = self._service.registrar.entries
        both = declared.keys() & known.keys()
        return Reloaded(
            dry_run=dry_run,
            models_added=sorted(declared.keys() - known.keys()),
            models_changed=sorted(name for name in both if declared[name][:2] != known[name][:2]),
            models_removed=sorted(known.keys() - declared.keys()),
            changed=plan.changed,
            needs_restart=plan.waiting,
        )


def _entry(told: Reloaded, tenants: Iterable[str]) -> dict[str, Any]:
    """What the audit log keeps of it: tenants under pseudonyms, not by the paths of their fields."""
    detail = {name: value for name, value in msgspec.structs.asdict(told).items() if value}
    for name in detail.keys() & {"changed", "needs_restart"}:
        plain = ("tenants" if path.startswith("tenants.") else path for path in detail[name])
        detail[name] = list(dict.fromkeys(plain))
    paths = [f"{path}." for path in (*told.changed, *told.needs_restart)]
    concerned = [each for each in tenants if any(path.startswith(f"tenants.{each}.") for path in paths)]
    if concerned:
        detail["tenants"] = [Identity(kind="tenant", tenant=each) for each in concerned]
    return detail


async def _read(path: Path) -> Configuration:
    """The file's configuration. Raises :class:`Unprocessable` with every fault and its line."""
    try:
        declaration = await asyncio.to_thread(examine, path, secrets=True)
    except OSError as error:
        said = f"{path.name} cannot be read, and the old configuration stays: {error.strerror}."
        raise Unprocessable(said) from error
    if declaration.configuration is None or declaration.faults:
        faults = "; ".join(f"line {fault.line}: {fault.what}" for fault in sorted(declaration.faults))
        raise Unprocessable(f"{path.name} is refused, and the old configuration stays: {faults}.")
    if declaration.blank:
        raise Unprocessable(f"{path.name} is empty, and the old configuration stays: {{}} is how to declare nothing.")
    return declaration.configuration
