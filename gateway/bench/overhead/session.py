"""One gateway in one round: the loads put on it, and the figures that come of each."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.bench.overhead.gateways import KEY, MODELS, Launch
from gateway.bench.overhead.load import Figures, Group, Job
from gateway.bench.process import Generator, Process

LEVELS = (1, 16, 64)
"""Connections."""
SATURATING = 16
WARM_UP_S = 0.5

Values = dict[str, float]
"""Figures by name (``c16.rps``, ``start_s``, ...)."""


def _share(seen: Figures, reason: str) -> float:
    """The share of the answers that came with a reason."""
    requests = {name: share.requests for name, share in seen.reasons.items()}
    return requests.get(reason, 0) / sum(requests.values())


class Session:
    """Loads of ``seconds`` each. ``firsts`` gives, for each group of clients, prompts that no other group asks."""

    def __init__(
        self, *, launch: Launch, process: Process, clients: Generator, seconds: float, firsts: Iterator[int]
    ) -> None:
        self._launch = launch
        self._process = process
        self._clients = clients
        self._seconds = seconds
        self._firsts = firsts

    def start(self) -> Values:
        """Seconds from the spawn to the first answer."""
        seconds = self._process.first_answer_s(port=self._launch.port, key=KEY, model=self._launch.models[0])
        return {"start_s": seconds}

    def level(self, connections: int) -> Values:
        """Throughput, latency and processor time a request; with Polyculture also what was routed how."""
        before = self._process.cpu_s()
        figures, answered = self._load({"all": self._group(connections)})
        cpu_s = self._process.cpu_s() - before
        seen = figures["all"]
        values = {"rps": seen.rps, "p50_ms": seen.p50_ms, "p99_ms": seen.p99_ms, "cpu_ms": cpu_s * 1e3 / answered}
        found = {f"c{connections}.{name}": value for name, value in values.items()}
        if "policy" in seen.reasons or "prior" in seen.reasons:
            share = _share(seen, "prior")
            found |= {f"c{connections}_prior_share": share, f"c{connections}_embedded_rps": seen.rps * (1 - share)}
        return found

    def stream(self) -> Values:
        """Median time to the first event at one connection."""
        figures, _ = self._load({"all": self._group(1, stream=True)}, share=0.5)
        return {"ttft_ms": figures["all"].ttft_ms or 0.0}

    def memory(self) -> Values:
        """Resident memory now."""
        return {"rss_mb": self._process.rss_mb()}

    def cached(self) -> Values:
        """Median latency of one prompt asked again and again at one connection."""
        figures, _ = self._load({"all": self._group(1, repeat=True)}, share=0.5)
        return {"cached_p50_ms": figures["all"].p50_ms}

    def held_up(self) -> Values:
        """Latency of requests that need no embedding while new prompts keep the embedder busy all the time."""
        again, forced = self._group(1, repeat=True), self._group(1, models=MODELS)
        self._load({"again": again}, share=0.1)
        figures, _ = self._load({"new": self._group(SATURATING), "again": again, "forced": forced})
        return {
            "held_up_p50_ms": max(figures["again"].p50_ms, figures["forced"].p50_ms),
            "held_up_p99_ms": max(figures["again"].p99_ms, figures["forced"].p99_ms),
        }

    def _group(
        self, connections: int, *, models: tuple[str, ...] = (), repeat: bool = False, stream: bool = False
    ) -> Group:
        models = models or self._launch.models
        return Group(connections=connections, models=models, first=next(self._firsts), repeat=repeat, stream=stream)

    def _load(self, groups: dict[str, Group], *, share: float = 1.0) -> tuple[dict[str, Figures], int]:
        seconds = self._seconds * share
        job = Job(port=self._launch.port, key=KEY, seconds=seconds, warm_up_s=WARM_UP_S, groups=groups)
        outcome = self._clients.run(job)
        return outcome.figures, outcome.answered
