"""Every metric, declared once. Base units, bounded labels, one prefix."""

from __future__ import annotations

import math
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily

from gateway.exchange import Exchange

#: How many of the last routed requests the concentration figures look at.
WINDOW = 1000

#: The limits that a key or a tenant can come up against.
LIMITS = ("requests", "tokens", "concurrency", "budget_day", "budget_month")

_REQUEST = ["endpoint", "model", "status"]
_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_OVERHEAD = (0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)


#: What is read from the gateway's parts at each scrape.
GAUGES = {
    "learner_lag_events": "Committed events that are not folded yet.",
    "learner_lessons": "Outcomes folded into the live state.",
    "router_version": "Log position of the last event folded.",
    "learning_frozen": "1 while learning is frozen.",
    "log_pending_events": "Events waiting for the disk.",
    "log_healthy": "1 while the event log can be written.",
    "log_dropped_events": "Events lost because the disk was away for too long.",
    "quarantined_feedback": "Outcomes that are withheld until an admin releases or rejects them.",
    "disk_bytes": "What the data directory takes.",
    "disk_limit_bytes": "Most that it may take; 0 without a limit.",
    "disk_dropped_events": "Old events that went to stay below that limit; what was learned of them stays.",
    "embedding_queue": "Prompts waiting for their embedding.",
    "tasks": "Tasks of the event loop.",
    "upstream_connections": "Open connections to upstreams.",
}


class Metrics:
    """The gateway's figures, in a registry of their own."""

    def __init__(self, *, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        made: dict[str, Any] = {"namespace": "polyculture", "registry": registry}
        self.requests = Counter("requests", "Requests by endpoint, model and status.", _REQUEST, **made)
        self.shed = Counter("shed", "Requests turned away because too many were under way.", **made)
        self.limit_refusals, self.budget_stops = _limits(made)
        self.latency = Histogram(
            "request_duration_seconds",
            "From request to finished answer.",
            ["endpoint"],
            buckets=_LATENCY,
            **made,
        )
        self.overhead = Histogram(
            "overhead_seconds",
            "The gateway's own part of a request.",
            ["endpoint"],
            buckets=_OVERHEAD,
            **made,
        )
        self.first_byte = Histogram(
            "upstream_first_byte_seconds",
            "From asking a model to its answer's begin.",
            ["model"],
            buckets=_LATENCY,
            **made,
        )
        self.tokens = Counter("tokens", "Tokens as upstreams counted them.", ["model", "direction"], **made)
        self.cost = Counter("cost_usd", "Money spent, in USD.", ["model"], **made)
        self.routed = Counter("routed", "Requests that the policy gave to a model.", ["model", "reason"], **made)
        self.fallbacks = Counter(
            "fallbacks", "Answers that another model gave in a failed one's place.", ["model"], **made
        )
        self.failures = Counter("upstream_failures", "Failed calls of a model, by kind.", ["model", "kind"], **made)
        self.feedback = Counter("feedback", "Feedback items by what became of them.", ["status"], **made)
        self.implicit = Counter("implicit_outcomes", "Faults seen in answers by their form.", ["kind"], **made)
        self.undurable = Counter("undurable_responses", "Responses finished before their decision was on disk.", **made)
        self.learner_failures = Counter("learner_failures", "Events or snapshots that could not be used.", **made)
        self.gate_refusals = Counter("gate_refusals", "Versions that the gate refused, by check.", ["check"], **made)
        self.gate_rollbacks = Counter(
            "gate_rollbacks", "Versions taken back because they earned less, by how they came.", ["cause"], **made
        )
        self.gate_promotions = Counter("gate_promotions", "Candidates that the log spoke for.", **made)
        self.drift_alarms = Counter(
            "drift_alarms", "Changes of what is asked, or of a model.", ["kind", "model"], **made
        )
        self.beside = Counter("beside_requests", "Requests given to a version beside the live one.", ["group"], **made)
        self.embedding = Histogram(
            "embedding_duration_seconds", "Time to embed one prompt, uncached.", buckets=_OVERHEAD, **made
        )
        Info("build", "What runs.", **made).info({"version": version})
        ProcessCollector(**made)
        self._series: dict[tuple[str, str, int], _Series] = {}
        self._routed: dict[tuple[str, str], Counter] = {}
        self._recent: deque[str] = deque(maxlen=WINDOW)
        self._tally: Tally[str] = Tally()
        registry.register(_Shares(tally=self._tally))
        self.sources = _Sources(registry=registry)
        self._gauges = {name: Gauge(name, description, **made) for name, description in GAUGES.items()}

    def watch(self, **readings: Callable[[], float]) -> None:
        """Say how the gauges are read, when scraped."""
        for name, read in readings.items():
            self._gauges[name].set_function(read)

    def expose(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)

    def requested(self, exchange: Exchange, now: float) -> None:
        """Count one finished request."""
        reading, choice, opened = exchange.reading, exchange.choice, exchange.opened
        endpoint = reading.endpoint if reading is not None else "unread"
        model = exchange.model.id if exchange.model is not None else ""
        series = self._series_of(endpoint, model, exchange.status)
        series.requests.inc()
        series.latency.observe(now - exchange.started)
        if choice is None:
            return
        if choice.decision.group:
            self.beside.labels(choice.decision.group).inc()
        if choice.decision.drawn:
            self._remember(choice.decision.chosen, choice.decision.reason)
        if opened is not None:
            series.first_byte.observe(opened.first_byte_s)
            series.overhead.observe(max(0.0, exchange.overhead(now)))
            if exchange.failed:
                self.fallbacks.labels(model).inc()
        if exchange.input_tokens is not None:
            series.input_tokens.inc(exchange.input_tokens)
            series.output_tokens.inc(exchange.output_tokens or 0)
            if exchange.cost:
                self.cost.labels(model).inc(exchange.cost)

    def _series_of(self, endpoint: str, model: str, status: int) -> _Series:
        """One look-up for all of a request's series: each ``labels`` call costs a lock and a tuple."""
        key = (endpoint, model, status)
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = _Series(
                requests=self.requests.labels(endpoint, model, str(status)),
                latency=self.latency.labels(endpoint),
                overhead=self.overhead.labels(endpoint),
                first_byte=self.first_byte.labels(model) if model else None,
                input_tokens=self.tokens.labels(model, "input") if model else None,
                output_tokens=self.tokens.labels(model, "output") if model else None,
            )
        return found

    def _remember(self, model: str, reason: str) -> None:
        found = self._routed.get((model, reason))
        if found is None:
            found = self._routed[model, reason] = self.routed.labels(model, reason)
        found.inc()
        if len(self._recent) == WINDOW:
            self._tally[self._recent[0]] -= 1
        self._recent.append(model)
        self._tally[model] += 1


def _limits(made: dict[str, Any]) -> tuple[Counter, Counter]:
    """What callers' own limits refuse, and the stops that their budgets come to."""
    refusals = Counter("limit_refusals", "Requests refused by a limit of their key or tenant.", ["limit"], **made)
    about = "Budgets that came to their soft or their hard stop."
    stops = Counter("budget_stops", about, ["stage", "span"], **made)
    for limit in LIMITS:
        refusals.labels(limit)
    for stage, span in product(("soft", "hard"), ("day", "month")):
        stops.labels(stage, span)
    return refusals, stops


class _Series(NamedTuple):
    """The labelled series that a request of one endpoint, model and status adds to."""

    requests: Any
    latency: Any
    overhead: Any
    first_byte: Any
    input_tokens: Any
    output_tokens: Any


class _Sources:
    """Where those stand whose feedback is judged; ``read`` says so at each scrape."""

    def __init__(self, *, registry: CollectorRegistry) -> None:
        self.read: Callable[[], Mapping[str, int]] = dict
        registry.register(self)

    def collect(self) -> list[GaugeMetricFamily]:
        """Called at each scrape."""
        about = "End users whose feedback is judged, by how far they are believed."
        family = GaugeMetricFamily("polyculture_feedback_sources", about, labels=["band"])
        for band, count in self.read().items():
            family.add_metric([band], count)
        return [family]


class _Shares:
    """Concentration over the last routed requests: each model's share, and the effective number of models."""

    def __init__(self, *, tally: Tally[str]) -> None:
        self._tally = tally

    def collect(self) -> list[GaugeMetricFamily]:
        """Called at each scrape."""
        total = sum(self._tally.values())
        shares = {model: count / total for model, count in self._tally.items() if count}
        share = GaugeMetricFamily(
            "polyculture_routed_share", f"Share of the last {WINDOW} routed requests.", labels=["model"]
        )
        for model, part in shares.items():
            share.add_metric([model], part)
        entropy = -sum(part * math.log(part) for part in shares.values())
        effective = GaugeMetricFamily(
            "polyculture_effective_models",
            "Exponential of the routed shares' entropy: how many models really share the work.",
            value=math.exp(entropy) if shares else 0.0,
        )
        largest = GaugeMetricFamily(
            "polyculture_largest_share", "The largest routed share.", value=max(shares.values(), default=0.0)
        )
        return [share, effective, largest]
