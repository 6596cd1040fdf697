"""Embedders: text to unit vectors, without a network and, but for :class:`Transformer`, without torch."""

from router_models.embedders.catalogue import load
from router_models.embedders.embedder import Embedder, Matrix
from router_models.embedders.minilm import MiniLM
from router_models.embedders.static import Static
from router_models.embedders.transformer import Transformer

__all__ = ["Embedder", "Matrix", "MiniLM", "Static", "Transformer", "load"]
