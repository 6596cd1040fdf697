"""What another configuration changes: what can change at once, and what waits for a restart."""

from __future__ import annotations

from typing import Any, NamedTuple

from gateway.config import Configuration, Corrections, Gate, Routing

#: Fields that parts of the gateway are built by; they stay as they are until it starts anew.
BUILT: dict[str, tuple[str, ...]] = {
    "": ("specialists",),
    "routing": ("policy", "conversations", "conversation_idle_s"),
    "routing.gate": ("mode",),
}


class Plan(NamedTuple):
    """``configuration`` is what holds from now on; ``changed`` are the fields that do so at once, by their paths, and
    ``waiting`` those that need a restart.
    """

    configuration: Configuration
    changed: list[str]
    waiting: list[str]

    @classmethod
    def of(cls, before: Configuration, after: Configuration) -> Plan:
        """From one configuration to another."""
        wanted = differences(_document(before), _document(after))
        configuration = _standing(before, after)
        changed = differences(_document(before), _document(configuration))
        return cls(configuration, changed, [path for path in wanted if path not in changed])


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """The paths of the smallest parts that differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = sorted(before.keys() | after.keys())
        found = (differences(before.get(name), after.get(name), f"{path}.{name}".lstrip(".")) for name in names)
        return [each for part in found for each in part]
    return [] if before == after else [path]


def _document(configuration: Configuration) -> dict[str, Any]:
    """A configuration's fields less its models; tenants by their ids."""
    found = configuration.model_dump(mode="json", exclude={"models", "overrides"})
    return {**found, "tenants": {each["id"]: each for each in found["tenants"]}}


def _standing(before: Configuration, after: Configuration) -> Configuration:
    """The new configuration, with the old one's fields where parts were built by them."""
    gate: Gate = after.routing.gate.model_copy(update=_kept(before.routing.gate, "routing.gate"))
    routing: Routing = after.routing.model_copy(update={**_kept(before.routing, "routing"), "gate": gate})
    kept = {tenant.id: tenant.corrections for tenant in before.tenants}
    tenants = [
        tenant.model_copy(update={"corrections": kept.get(tenant.id, Corrections())}) for tenant in after.tenants
    ]
    return after.model_copy(update={**_kept(before, ""), "routing": routing, "tenants": tuple(tenants)})


def _kept(section: Configuration | Routing | Gate, path: str) -> dict[str, Any]:
    return {name: getattr(section, name) for name in BUILT[path]}
