"""Embedders by the names that configuration knows them by."""

from __future__ import annotations

from router_models.embedders.embedder import Embedder
from router_models.embedders.minilm import MiniLM
from router_models.embedders.static import Static
from router_models.embedders.transformer import FAMILY, Transformer


def load(name: str) -> Embedder:
    """Load ``minilm``, ``static`` or ``sentence-transformers:MODEL``; takes from milliseconds to seconds.

    Raises ``ValueError`` for another name, and what the embedder's constructor raises.
    """
    family, _, model = name.partition(":")
    if name == MiniLM.name:
        return MiniLM()
    if name == Static.name:
        return Static()
    if family == FAMILY and model:
        return Transformer(model=model)
    raise ValueError(f"no embedder is called {name!r}; there are {MiniLM.name}, {Static.name} and {FAMILY}:MODEL")
