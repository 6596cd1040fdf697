"""What follows from the medians, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.bench.overhead.gateways import LIMITED, MINILM, STATIC
from gateway.bench.overhead.measure import Medians

EMBEDDING_WAIT_MS = 250.0
"""What a request waits for its embedding at most, by default."""


@dataclass(frozen=True, kw_only=True)
class Derived:
    """A figure made of the medians; with a bar, it is at least or at most that."""

    of: Callable[[Medians], float]
    at_least: float | None = None
    at_most: float | None = None

    def bar(self) -> float | None:
        """The limit, either way."""
        return self.at_most if self.at_least is None else self.at_least

    def met(self, value: float) -> bool:
        """Whether the value is on the right side."""
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)


def _over(name: str, gateway: str, other: str) -> Callable[[Medians], float]:
    return lambda medians: medians[gateway][name] / medians[other][name]


def _minus(name: str, gateway: str, other: str) -> Callable[[Medians], float]:
    return lambda medians: medians[gateway][name] - medians[other][name]


def _figure(name: str, gateway: str) -> Callable[[Medians], float]:
    return lambda medians: medians[gateway][name]


def _added_over_one_embedding(name: str) -> Callable[[Medians], float]:
    """Latency beyond that of a cached prompt alone, in embeddings."""
    return lambda medians: (
        (medians[MINILM][name] - medians[MINILM]["cached_p50_ms"]) * medians[MINILM]["embedder_rps"] / 1e3
    )


def _embedded_share(name: str) -> Callable[[Medians], float]:
    return lambda medians: medians[MINILM][name] / medians[MINILM]["embedder_rps"]


RATIOS: dict[str, Derived] = {
    "polyculture_over_litellm_c64_rps": Derived(of=_over("c64.rps", STATIC, "litellm"), at_least=30),
    "polyculture_over_passthrough_c64_rps": Derived(of=_over("c64.rps", STATIC, "passthrough"), at_least=0.55),
    "polyculture_added_p50_ms_c1": Derived(of=_minus("c1.p50_ms", STATIC, "direct"), at_most=1.0),
    "polyculture_ttft_minus_passthrough_ms": Derived(of=_minus("ttft_ms", STATIC, "passthrough"), at_most=1.5),
    "limits_over_passthrough_c64_rps": Derived(of=_over("c64.rps", LIMITED, "passthrough"), at_least=0.55),
    "limits_added_p50_ms_c1": Derived(of=_minus("c1.p50_ms", LIMITED, "direct"), at_most=1.0),
    "passthrough_added_p50_ms_c1": Derived(of=_minus("c1.p50_ms", "passthrough", "direct")),
    "litellm_added_p50_ms_c1": Derived(of=_minus("c1.p50_ms", "litellm", "direct")),
    "minilm_added_p50_ms_c1": Derived(of=_minus("c1.p50_ms", MINILM, STATIC), at_most=12.0),
    "minilm_throughput_over_embedder": Derived(of=_embedded_share("c16_embedded_rps"), at_least=0.85),
    "minilm_throughput_over_embedder_c64": Derived(of=_embedded_share("c64_embedded_rps")),
    "minilm_cached_added_p50_ms": Derived(of=_minus("cached_p50_ms", MINILM, STATIC), at_most=0.1),
    "minilm_held_up_p50_ms": Derived(of=_figure("held_up_p50_ms", MINILM)),
    "minilm_held_up_p99_ms": Derived(of=_figure("held_up_p99_ms", MINILM)),
    "minilm_held_up_added_p50_over_embedding": Derived(of=_added_over_one_embedding("held_up_p50_ms"), at_most=0.5),
    "minilm_held_up_added_p99_over_embedding": Derived(of=_added_over_one_embedding("held_up_p99_ms")),
    "minilm_overload_prior_share": Derived(of=_figure("c64_prior_share", MINILM)),
    "minilm_overload_p99_ms": Derived(of=_figure("c64.p99_ms", MINILM), at_most=1.2 * EMBEDDING_WAIT_MS),
}
"""What goes into the results as ratios.

``held_up`` is the latency of cached and forced requests while new prompts keep the embedder busy: waiting for the
embedding in progress would add half of one at the median. ``overload`` is what 64 connections are to one embedder.
"""

LIMITS: dict[str, Derived] = {
    "polyculture_cpu_ms_c64": Derived(of=_figure("c64.cpu_ms", STATIC), at_most=0.5),
    "polyculture_start_s": Derived(of=_figure("start_s", STATIC), at_most=1.5),
    "polyculture_rss_mb": Derived(of=_figure("rss_mb", STATIC), at_most=150),
    "minilm_start_s": Derived(of=_figure("start_s", MINILM), at_most=1.5),
    "minilm_rss_mb": Derived(of=_figure("rss_mb", MINILM), at_most=250),
}
"""Bars on plain figures."""


def values(derived: dict[str, Derived], medians: Medians) -> dict[str, float]:
    """The figures that can be made of what was measured: a gateway that was left out leaves out what needs it."""
    found = {}
    for name, figure in derived.items():
        try:
            found[name] = figure.of(medians)
        except KeyError:
            continue
    return found


def judge(medians: Medians) -> dict[str, dict[str, float | bool]]:
    """Each bar that can be judged: ``{"value", "bar", "met"}`` by name."""
    asked = {name: derived for name, derived in (RATIOS | LIMITS).items() if derived.bar() is not None}
    return {
        name: {"value": round(value, 4), "bar": asked[name].bar() or 0.0, "met": asked[name].met(value)}
        for name, value in values(asked, medians).items()
    }
