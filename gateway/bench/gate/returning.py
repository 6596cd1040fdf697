"""Rollbacks with a long log while many clients ask: how long each takes, and whether all that follows goes by it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import msgspec

from gateway.bench.gate.installation import Failed, Installation, eventually
from gateway.bench.gate.world import drawn
from gateway.bench.overhead.load import Group, Job
from gateway.bench.process import Generator
from gateway.bench.routing.recorded import Recorded
from gateway.bench.serving import KEY
from gateway.versions.version import place

CLIENTS: Final = 64
LASTING_S: Final = 4.0
"""How many clients ask without a pause while an order is given, and for how long."""

FILLING_S: Final = 5.0
TAUGHT: Final = 40
"""Seconds between two looks at the log while it grows, and outcomes between two rollbacks."""

AFTER: Final = 5
"""Requests sent after an order was answered, each of which must go by it."""


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """One rollback, at a log of ``events``, in milliseconds: by the gateway's clock, and by the client's from the order
    sent to the answer come. ``next_obeyed`` says that every request after it went by it.
    """

    events: int
    took_ms: float
    answered_ms: float
    next_obeyed: bool


def fill(here: Installation, load: Generator, events: int) -> None:
    """Ask until the log has so many events."""
    asking = Group(connections=CLIENTS, models=("auto",), first=0, repeat=True)
    while here.metric("polyculture_router_version") < events:
        load.run(Job(port=here.port, key=KEY, seconds=FILLING_S, warm_up_s=0.0, groups={"all": asking}))


def roll_back(
    here: Installation, load: Generator, data: Recorded, *, times: int, seed: int, step: Callable[[], None]
) -> list[Returned]:
    """Learn, keep the version, learn more, return to it under load; so many times."""
    found, places = [], {model: place for place, model in enumerate(data.models)}
    rows = iter(drawn(data, 2 * TAUGHT * times, seed=seed))

    def teach() -> None:
        answers = [(row, here.ask(data.prompts[row])) for row in (next(rows) for _ in range(TAUGHT))]
        here.tell(*((answered, float(data.quality[row, places[answered.model]])) for row, answered in answers))

    for _ in range(times):
        teach()
        version = here.order("pin", {"version": "live"})["id"]
        teach()
        with _asking(here, load):
            found.append(_one(here, version, data.prompts[0]))
        if not eventually(lambda: here.metric("polyculture_learner_lag_events") == 0.0):
            raise Failed("the learner does not come to rest")
        step()
    return found


@contextmanager
def _asking(here: Installation, load: Generator) -> Iterator[None]:
    """Clients at work; the block runs when they have warmed up."""
    group = Group(connections=CLIENTS, models=("auto",), first=0, repeat=True)
    job = Job(port=here.port, key=KEY, seconds=LASTING_S, warm_up_s=0.0, groups={"all": group})
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(load.run, job)
        time.sleep(LASTING_S / 3)
        yield
        working.result()


def _one(here: Installation, version: str, prompt: str) -> Returned:
    events = int(here.metric("polyculture_router_version"))
    begun = time.perf_counter()
    done = here.order("rollback", {"version": version, "tenant": "default"})
    answered_ms = (time.perf_counter() - begun) * 1e3
    known, at = place(version)[1], done["rollback"]["position"]
    served = [place(here.ask(prompt).version)[1] for _ in range(AFTER)]
    return Returned(
        events=events,
        took_ms=done["took_ms"],
        answered_ms=answered_ms,
        next_obeyed=all(each <= known or each >= at for each in served),
    )
