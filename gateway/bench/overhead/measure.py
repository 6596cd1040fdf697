"""Rounds: each gateway is started afresh, loaded and stopped, in turn, so that the machine's drift hits all alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from gateway.bench.overhead import embedder
from gateway.bench.overhead.gateways import GATEWAYS, MINILM, STATIC, Place
from gateway.bench.overhead.load import LoadFailed
from gateway.bench.overhead.session import LEVELS, Session, Values
from gateway.bench.process import Generator, ProcessFailed, free_port, generator, running
from gateway.bench.serving import upstream

BLOCK = 10_000_000
"""Prompts set aside for one group of clients."""

Medians = dict[str, Values]
"""The figures of each gateway."""

STEPS: dict[str, Callable[[Session], Values]] = {
    "start": Session.start,
    **{f"{n} connections": partial(Session.level, connections=n) for n in LEVELS},
    "streaming": Session.stream,
    "memory": Session.memory,
}
EXTRA_STEPS: dict[str, dict[str, Callable[[Session], Values]]] = {
    STATIC: {"cached prompt": Session.cached},
    MINILM: {"cached prompt": Session.cached, "beside embeddings": Session.held_up},
}


class BenchFailed(Exception):
    """A gateway could not be measured; the message names it and says why."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured: each load lasts ``seconds``. ``folder`` lies on the disk that durable logs are measured on."""

    gateways: Sequence[str]
    rounds: int
    seconds: float
    litellm_home: Path
    folder: Path

    def steps(self, gateway: str) -> dict[str, Callable[[Session], Values]]:
        """What is done with a gateway in a round, in order."""
        return STEPS | EXTRA_STEPS.get(gateway, {})

    def turns(self) -> Iterator[tuple[int, str]]:
        """Every round's gateways, there and back again."""
        for number in range(self.rounds):
            for gateway in self.gateways if number % 2 == 0 else reversed(self.gateways):
                yield number, gateway

    def size(self) -> int:
        """The number of steps in all, the embedder alone among them."""
        return sum(len(self.steps(gateway)) + (gateway == MINILM) for _, gateway in self.turns())


class Bench:
    """A run of a plan; ``tell`` hears of each step before it is done."""

    def __init__(self, *, plan: Plan, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._firsts = count(0, BLOCK)
        self._seen: dict[str, dict[str, list[float]]] = {}

    def run(self) -> Medians:
        """The medians over the rounds. Raises :class:`BenchFailed`."""
        with TemporaryDirectory(prefix="run-", dir=self._plan.folder) as made, self._surroundings(Path(made)) as around:
            for number, gateway in self._plan.turns():
                place = Path(made, f"{number}-{gateway}")
                place.mkdir()
                try:
                    self._turn(f"round {number + 1}: {gateway}", gateway, place, *around)
                except (ProcessFailed, LoadFailed) as error:
                    raise BenchFailed(f"{gateway} could not be measured: {error}") from error
        return {
            gateway: {name: median(values) for name, values in seen.items()} for gateway, seen in self._seen.items()
        }

    @contextmanager
    def _surroundings(self, folder: Path) -> Iterator[tuple[int, Generator]]:
        """The upstream's port and the clients."""
        with upstream(folder) as port, generator() as clients:
            yield port, clients

    def _turn(self, title: str, gateway: str, folder: Path, upstream_port: int, clients: Generator) -> None:
        """Measure one gateway once."""
        seen = self._seen.setdefault(gateway, {})
        if gateway == MINILM:
            self._tell(f"{title}, the embedder alone")
            alone = embedder.texts_per_second(seconds=self._plan.seconds / 2)
            seen.setdefault("embedder_rps", []).append(alone)
        place = Place(
            folder=folder, port=free_port(), upstream_port=upstream_port, litellm_home=self._plan.litellm_home
        )
        launch = GATEWAYS[gateway](place)
        log = folder / "printed.log"
        with running(launch.command, extra=launch.extra, log=log) as process:
            session = Session(
                launch=launch, process=process, clients=clients, seconds=self._plan.seconds, firsts=self._firsts
            )
            for step, measure in self._plan.steps(gateway).items():
                self._tell(f"{title}, {step}")
                for name, value in measure(session).items():
                    seen.setdefault(name, []).append(value)
