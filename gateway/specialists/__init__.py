"""The demo's real, small models, each a local OpenAI-compatible server of its own. See README.md beside this file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.specialists.supervisor import Supervisor, serve_all

__all__ = ["Supervisor", "serve_all"]


def __getattr__(name: str) -> Any:
    """The gateway's side, imported only where it is used: the children import this package too, and stay small."""
    if name not in __all__:
        raise AttributeError(name)
    from gateway.specialists import supervisor

    return getattr(supervisor, name)
