"""Running many passes: what a pass needs, and one process for each core to run them in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context

from gateway.bench.routing import contenders, references
from gateway.bench.routing.contenders import Material
from gateway.bench.routing.figures import Pass, binned, figured, stretches
from gateway.bench.routing.recorded import Floats, Ints
from gateway.bench.routing.replay import Seat, replay
from gateway.bench.routing.scenarios.scenario import Scenario
from gateway.bench.routing.stream import DRAWS, ORDER, SCENARIO, WARM_DRAWS, WARM_ORDER, Stream, generator

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One pass: a policy through a scenario (its name and its label), or the references, which have neither."""

    seed: int
    policy: str = ""
    scenario: Key = ("", "")


@dataclass(frozen=True, kw_only=True)
class World:
    """All that passes share: the data, the rows measured on, and those learned from beforehand, if any.

    With ``priors``, who ships priors for these models starts from them. If ``offline``, the others learn every model's
    outcome on the rows beforehand; otherwise everybody learns from them as from the stream, one choice at a time.
    """

    material: Material
    rows: Ints
    warm: Ints | None = None
    priors: bool = False
    offline: bool = False
    scenarios: dict[Key, Scenario] = field(default_factory=dict)

    def run(self, task: Task) -> Pass:
        """Run one pass."""
        return self.play(task) if task.policy else self.refer(task.seed)

    def order(self, seed: int) -> Ints:
        """The order of the requests, the same for every policy."""
        return generator(seed, ORDER).permutation(self.rows)

    def play(self, task: Task) -> Pass:
        """Replay a scenario's stream to a policy."""
        scenario, data = self.scenarios[task.scenario], self.material.data
        stream = scenario.shaped(Stream.of(data, self.order(task.seed)), data, generator(task.seed, SCENARIO))
        features = self.material.seen_by(task.policy)
        seats = self._seats(task, scenario, stream)
        trace = replay(
            seats=seats,
            stream=stream,
            models=data.models,
            features=features,
            draws=generator(task.seed, DRAWS).random(len(stream)),
            rewordings=[self.material.seen_by(task.policy, wording) for wording in scenario.wordings],
        )
        return figured(scenario, stream, trace)

    def _seats(self, task: Task, scenario: Scenario, stream: Stream) -> list[Seat]:
        """A state for each tenant, warmed up on what comes before the stream."""
        data, features = self.material.data, self.material.seen_by(task.policy)
        policy = contenders.policy(task.policy, data=data, limits=scenario.limits, seed=task.seed, priors=self.priors)
        width = features.shape[1]
        states = [policy.start(dimensions=width, arms=()) for _ in range(int(stream.tenant.max()) + 1)]
        seats = [Seat(state=state, models=data.models, dimensions=width) for state in states]
        if self.warm is not None:
            before = Stream.of(data, generator(task.seed, WARM_ORDER).permutation(self.warm))
            before.present[:, scenario.unknown] = False
            draws = generator(task.seed, WARM_DRAWS).random(len(before))
            for seat in seats:
                if not self.offline:
                    replay(seats=[seat], stream=before, models=data.models, features=features, draws=draws)
                    seat.hear(len(before))
                elif not (self.priors and task.policy in contenders.SHIPPED):
                    seat.admit(before.present[0])
                    seat.study(before, features)
        return seats

    def refer(self, seed: int) -> Pass:
        """The references on the same order, for the plain stream."""
        embeddings = self.material.embeddings["plain"]
        found = references.rewards(self.material.data, self.order(seed), embeddings=embeddings)
        figures: dict[str, float] = {}
        for name, rewards in found.items():
            figures |= {f"{name}.{stretch}": value for stretch, value in stretches(rewards).items()}
            figures[f"{name}.regret"] = float((found["oracle"] - rewards).sum())
        curves: dict[str, Floats] = {name: binned(rewards) for name, rewards in found.items()}
        return Pass(figures=figures, curves=curves, findings={})


_world: World


def _adopt(world: World) -> None:
    """Take the world over in a new process, which computes in one thread."""
    from threadpoolctl import threadpool_limits

    global _world
    _world = world
    threadpool_limits(1)


def _run(task: Task) -> Pass:
    return _world.run(task)


def run(world: World, tasks: Sequence[Task], *, jobs: int) -> Iterator[tuple[Task, Pass]]:
    """Run all tasks; passes come as they are done."""
    if jobs == 1:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            for task in tasks:
                yield task, world.run(task)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_adopt, initargs=(world,)) as pool:
        running = {pool.submit(_run, task): task for task in tasks}
        for done in as_completed(running):
            yield running[done], done.result()
            del running[done]


def by_seed(passes: dict[Task, Pass], policy: str, scenario: Key) -> list[Pass]:
    """A policy's passes through a scenario, in the order of their seeds."""
    found = [task for task in passes if task.policy == policy and task.scenario == scenario]
    return [passes[task] for task in sorted(found, key=lambda task: task.seed)]
