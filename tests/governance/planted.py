"""Makes a log in which some tenants have many events with markers in them, as requests and their feedback leave it.

``python -m tests.governance.planted DIRECTORY EVENTS TENANT ...`` adds about EVENTS events for each TENANT, in turns,
to the database in DIRECTORY, which a gateway has written to before.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import msgspec
import numpy as np

from gateway.database import begin, connect
from gateway.events import Event
from gateway.fold import Fold
from gateway.history import restore
from gateway.schema import prompts
from gateway.transaction import Transaction
from router_models import make
from tests.log.samples import answer, decision, feedback

#: Events in one transaction.
BLOCK = 10_000

#: Every so many requests, one gets feedback.
FEEDBACK_EVERY = 4


def marker(tenant: str, number: int) -> str:
    """What is to be found of a tenant's request, and of nobody else's."""
    return f"planted-{tenant}-{number:07}"


def subject(tenant: str, number: int) -> bytes:
    """A request's id."""
    return f"{tenant[:7]:7}".encode() + b"\xfe" + number.to_bytes(8, "big")


def vector(tenant: str, number: int, dimensions: int) -> bytes:
    """A request's features, like no other's."""
    seed = [*tenant.encode(), number]
    return np.random.default_rng(seed).normal(size=dimensions).astype("<f4").tobytes()


def plant(data_dir: Path, tenants: Sequence[str], *, events: int) -> None:
    """Add about so many events for each of the tenants, in turns."""
    with connect(data_dir).connect() as connection:
        fold = restore(connection, make_policy=make)
        made = chain.from_iterable(_requests(fold, tenants, events))
        while block := list(islice(made, BLOCK)):
            with begin(connection):
                transaction = Transaction(connection=connection, position=fold.position, at=int(time.time() * 1e6))
                for tenant, name, source, event in block:
                    transaction.append(event, tenant=tenant, subject=name, source=source)
                transaction.flush()
                fold.position = transaction.position
        with begin(connection):
            rows = [
                {"subject": subject(tenant, number), "tenant": tenant, "at": 1, "text": marker(tenant, number)}
                for tenant in tenants
                for number in range(0, events // 2, 10)
            ]
            connection.execute(prompts.insert(), rows)


def _requests(fold: Fold, tenants: Sequence[str], events: int) -> Iterator[list[tuple[str, bytes, str | None, Event]]]:
    names, dimensions, lineage = list(fold.arms), fold.started.dimensions, fold.lineage
    plain = [decision(name, arms=names, seed=1, lineage=lineage, dimensions=dimensions) for name in names]
    for number in range(events * FEEDBACK_EVERY // (2 * FEEDBACK_EVERY + 1)):
        for tenant in tenants:
            name, features = subject(tenant, number), vector(tenant, number, dimensions)
            decided = msgspec.structs.replace(plain[number % len(names)], features=features, key=tenant)
            yield [(tenant, name, None, decided), (tenant, name, None, answer(decided.chosen))]
            if number % FEEDBACK_EVERY == 0:
                said = feedback(decided.chosen, (number % 7) / 6, lineage=lineage, dimensions=dimensions)
                lesson = msgspec.structs.replace(said.lesson, features=features) if said.lesson else None
                told = msgspec.structs.replace(said, lesson=lesson, comment=marker(tenant, number))
                yield [(tenant, name, f"{tenant}/user-{number % 100}", told)]


if __name__ == "__main__":
    directory, count, *whose = sys.argv[1:]
    plant(Path(directory), whose, events=int(count))
