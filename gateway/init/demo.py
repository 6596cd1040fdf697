"""The built-in demo models, as far as a configuration names them."""

from __future__ import annotations

from gateway.specialists.cards import catalogue


def descriptions() -> dict[str, str]:
    """Each demo model's own description, by id."""
    return {entry.id: entry.description for entry in catalogue()}
