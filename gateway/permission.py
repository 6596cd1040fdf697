"""What a caller may use: models and ways of choosing that its tenant may, and of these those that its key may."""

from __future__ import annotations

from gateway.config import Tenant
from gateway.errors import Forbidden
from gateway.keys import Principal


def usable(name: str, principal: Principal, tenant: Tenant | None) -> bool:
    """Whether the caller may use the model of that id."""
    models = principal.models
    if models is not None and name not in models:
        return False
    return tenant is None or tenant.models is None or name in tenant.models


def askable(name: str, principal: Principal, tenant: Tenant | None) -> bool:
    """Whether the caller may ask for this way of choosing, ``auto`` or ``auto:<preference>``."""
    preferences = principal.preferences
    if preferences is not None and name not in preferences:
        return False
    return tenant is None or tenant.preferences is None or name in tenant.preferences


def permit(name: str, principal: Principal, tenant: Tenant | None) -> None:
    """Raises :class:`Forbidden` where the caller may not ask for this way of choosing."""
    if not askable(name, principal, tenant):
        raise Forbidden(f"This key may not ask for {name!r}; GET /v1/models lists what it may.", param="model")
