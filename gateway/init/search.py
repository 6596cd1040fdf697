"""All sources of models, asked one after another and put together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gateway.init import hosted, litellm_file, local
from gateway.init.source import Source, merge


def search(
    *,
    environment: Mapping[str, str],
    litellm: Path | None = None,
    detect: bool = True,
    ports: Sequence[int] = (),
    taken: Iterable[str] = (),
) -> list[Source]:
    """Models of a LiteLLM file, of local servers on ``ports`` (empty: the usual), of providers with a key.

    ``detect`` false leaves the last two out; ``taken`` are ids already in use. Raises
    :class:`ConfigurationError` for a LiteLLM file that is none.
    """
    sources = [litellm_file.read(litellm, environment=environment)] if litellm else []
    if detect:
        sources += asyncio.run(local.find(ports or local.USUAL_PORTS))
        sources += hosted.find(environment)
    return merge(sources, taken=taken)
