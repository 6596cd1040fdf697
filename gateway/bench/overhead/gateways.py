"""How each gateway is started: same upstream, same models, one worker, whatever makes it quick switched on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.bench.overhead import peer
from gateway.bench.serving import launch

STATIC = "polyculture"
LIMITED = "polyculture-limits"
MINILM = "polyculture-minilm"
KEY = "sk-overhead-0123456789abcdef0123456789abcdef"

SPECIALTIES = {
    "algebra": "Solves equations and sums, step by step.",
    "biology": "Explains cells, genes, animals and plants.",
    "chemistry": "Balances reactions and explains substances.",
    "code": "Writes and repairs programs in Python, C and JavaScript.",
    "cooking": "Suggests recipes and explains how to cook them.",
    "dates": "Works out dates, time zones and durations.",
    "email": "Writes letters and messages in the right tone.",
    "finance": "Explains loans, taxes, budgets and investments.",
    "history": "Tells when and why things happened.",
    "law": "Explains contracts, rights and duties.",
    "legends": "Tells stories, poems and jokes.",
    "logic": "Solves puzzles and finds faults in arguments.",
    "medicine": "Explains symptoms, illnesses and treatments.",
    "music": "Talks about composers, songs and instruments.",
    "physics": "Explains forces, light, heat and particles.",
    "sentiment": "Rates whether a review is positive or negative.",
    "spelling": "Corrects spelling and grammar.",
    "summary": "Makes long texts short.",
    "translation": "Translates between languages.",
    "travel": "Plans journeys, compares routes and places to stay.",
}
"""The twenty models, by what they are good at."""

LIMITS = {"requests_per_minute": 10**8, "tokens_per_minute": 10**12, "concurrency": 10**4}
"""Limits of the caller's tenant that are never reached: what it costs to keep them."""

MODELS = tuple(f"specialist-{name}" for name in SPECIALTIES)


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A command that serves on ``port``, the settings it takes from the environment, the models to ask it for."""

    port: int
    command: tuple[str, ...]
    extra: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = MODELS


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a gateway runs: a fresh folder, its port, the mock's port, and the environment that holds LiteLLM."""

    folder: Path
    port: int
    upstream_port: int
    litellm_home: Path

    @property
    def upstream(self) -> str:
        """The mock's OpenAI base."""
        return f"http://127.0.0.1:{self.upstream_port}/v1"


def _module(name: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-m", f"gateway.bench.overhead.{name}", *map(str, arguments))


def _direct(place: Place) -> Launch:
    return Launch(port=place.port, command=_module("mock", place.port))


def _passthrough(place: Place) -> Launch:
    return Launch(port=place.port, command=_module("passthrough", place.port, place.upstream_port))


def _litellm(place: Place) -> Launch:
    configuration = place.folder / "litellm.yaml"
    peer.configure(configuration, models=MODELS, upstream=place.upstream, key=KEY)
    command = peer.command(home=place.litellm_home, configuration=configuration, port=place.port)
    return Launch(port=place.port, command=tuple(command), extra=peer.ENVIRONMENT)


def _polyculture(place: Place, *, embedder: str, limits: Mapping[str, int] | None = None) -> Launch:
    cards = [
        {"id": model, "description": description, "upstream": {"base_url": place.upstream, "model": model}}
        for model, description in zip(MODELS, SPECIALTIES.values(), strict=True)
    ]
    tenants = [{"id": "default", "limits": dict(limits)}] if limits else []
    command, extra = launch(
        place.folder,
        {"models": cards, "tenants": tenants},
        port=place.port,
        POLYCULTURE_API_KEY=KEY,
        POLYCULTURE_EMBEDDER=embedder,
        POLYCULTURE_LOG_LEVEL="warning",
    )
    return Launch(port=place.port, command=command, extra=extra, models=("auto",))


GATEWAYS: dict[str, Callable[[Place], Launch]] = {
    "direct": _direct,
    "passthrough": _passthrough,
    "litellm": _litellm,
    STATIC: lambda place: _polyculture(place, embedder="static"),
    LIMITED: lambda place: _polyculture(place, embedder="static", limits=LIMITS),
    MINILM: lambda place: _polyculture(place, embedder="minilm"),
}
"""How to start each gateway, by its name in the results, in the order of the first round."""
