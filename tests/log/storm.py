"""All that can happen to a log, at random, in a gateway's own process, which is killed now and then.

``python -m tests.log.storm DIRECTORY --events 50000 --kills 20`` ends well only if, after each kill and at the end,
everything that was saved is what the log says.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import yaml

from gateway.archive import contents, difference
from gateway.config import load
from gateway.controls import control
from gateway.database import connect
from gateway.events import EVERYONE, Feedback, FeedbackExcluded, FeedbackReleased, PoolJoined
from gateway.governance.identity import Identity
from gateway.history import refold
from gateway.service import Service, running
from gateway.settings import Settings
from gateway.transaction import Transaction
from gateway.verification import verify
from gateway.versions.steering import Steering
from gateway.versions.versions import OutOfReach, Versions
from router_models import make
from tests.log.process import environment
from tests.log.samples import answer, decision, feedback
from tests.support.cards import card

TENANTS, SOURCES = 4, ["key", "key/ann", "key/bob", "other/cat"]

#: Largest difference between what was saved or is live and what the log says.
TOLERANCE = 1e-9

#: One order of an admin's in so many bursts of requests.
SELDOM = 12


class Storm:
    """Requests, outcomes and orders at random, by the parts of a whole gateway."""

    def __init__(self, *, service: Service, rng: random.Random) -> None:
        self.service = service
        self.rng = rng
        self.versions = Versions(engine=service.engine, log=service.log, learner=service.learner)
        self.steering = Steering(log=service.log, learner=service.learner)
        self.asked: list[tuple[str, bytes, str, int]] = []
        self.born = service.learner.fold.position
        self.tenants = [self.newcomer() for _ in range(TENANTS)]
        self.orders: list[Callable[[], Awaitable[object]]] = [
            *(self.revoke, self.reject, self.release, self.roll_back, self.roll_back, self.freeze, self.join),
            *(self.change_policy, self.shadow, self.carry, self.forget_user, self.forget_tenant),
            *(self.versions.save, self.check),
        ]

    def newcomer(self) -> str:
        self.born += 1
        return f"tenant-{self.born}"

    def somebody(self) -> str:
        return self.rng.choice(self.tenants)

    async def rage(self, *, until: int) -> None:
        """Go on until the log is that long."""
        while self.service.learner.fold.position < until:
            await self.burst()
            if self.rng.random() < 1 / SELDOM:
                await self.rng.choice(self.orders)()
            await self.service.learner.settled()
            print(self.service.learner.fold.position, flush=True)
        await self.check()

    async def burst(self) -> None:
        """Some requests, and what is said of these and of earlier ones."""
        fold, log = self.service.learner.fold, self.service.log
        names, dimensions = sorted(fold.arms), fold.started.dimensions
        waiting = []
        for _ in range(self.rng.randint(1, 40)):
            tenant, subject, seed = self.somebody(), self.rng.randbytes(16), self.rng.randrange(30)
            chosen = self.rng.choice(names)
            made = decision(chosen, arms=names, seed=seed, lineage=fold.lineage, dimensions=dimensions)
            log.append(made, tenant=tenant, subject=subject, lazy=True)
            waiting.append(log.append(answer(chosen), tenant=tenant, subject=subject))
            self.asked.append((tenant, subject, chosen, seed))
        assert all(await asyncio.gather(*waiting))
        del self.asked[:-200]
        await log.transact(self.say)

    def say(self, transaction: Transaction) -> None:
        """Outcomes, one in three of them another word of the same source, logged as the gateway logs them."""
        fold = self.service.learner.fold
        for tenant, subject, arm, seed in self.rng.choices(self.asked, k=self.rng.randint(1, 30)):
            if tenant not in self.tenants:
                continue
            source, reward = self.rng.choice(SOURCES), self.rng.choice([0.0, 0.5, 1.0])
            said = [each.event for each in transaction.about(subject) if each.source == source]
            before = [each.reward for each in said if isinstance(each, Feedback)]
            event = feedback(
                arm,
                reward,
                seed=seed,
                lineage=fold.lineage,
                previous=before[-1] if before else None,
                dimensions=fold.started.dimensions,
            )
            transaction.append(event, tenant=tenant, subject=subject, source=source)

    async def revoke(self) -> None:
        named = self.rng.choice([None, [self.rng.choice(SOURCES)], ["key/"]])
        await self.exclude("revoked", named, self.rng.randint(1, 2000))

    async def reject(self) -> None:
        await self.exclude("rejected", None, 1)

    async def exclude(self, reason: str, named: list[str] | None, length: int) -> None:
        def write(transaction: Transaction) -> None:
            first = self.rng.randint(1, transaction.position)
            event = FeedbackExcluded(first, min(first + length, transaction.position), reason, named)  # type: ignore[arg-type]
            control(transaction, event, tenant=self.rng.choice([self.somebody(), EVERYONE]))

        await self.service.log.transact(write)

    async def release(self) -> None:
        """Somebody's last word counts after all, where it was withheld."""
        tenant, subject, _, _ = self.rng.choice(self.asked)

        def write(transaction: Transaction) -> None:
            for each in transaction.about(subject)[-1:]:
                if isinstance(each.event, Feedback) and each.event.lesson is not None and tenant in self.tenants:
                    event = FeedbackReleased(each.seq, each.event.reward, 1.0, each.event.lesson)
                    transaction.append(event, tenant=tenant, subject=subject, source=each.source)

        await self.service.log.transact(write)

    async def roll_back(self) -> None:
        fold = self.service.learner.fold
        saved = [each.id for each in await self.versions.list()]
        anywhere = f"{fold.lineage}.{self.rng.randint(fold.lineage, fold.position)}"
        try:
            await self.versions.rollback(
                self.rng.choice([*saved, anywhere]), tenant=self.rng.choice([self.somebody(), EVERYONE])
            )
        except OutOfReach:
            return

    async def freeze(self) -> None:
        await self.steering.freeze(tenant=(tenant := self.rng.choice([self.somebody(), EVERYONE])))
        await self.burst()
        await self.steering.freeze(False, tenant=tenant)

    async def join(self) -> None:
        event = PoolJoined(self.rng.random() < 0.5, self.rng.random() < 0.5)
        await self.service.log.append(event, tenant=self.somebody())

    async def change_policy(self) -> None:
        await self.steering.change_policy(
            self.rng.choice(["polyculture", "linucb"]), {"exploration": self.rng.random()}
        )

    async def shadow(self) -> None:
        await self.steering.shadow(self.rng.choice(["linucb", "polyculture", ""]))

    async def carry(self) -> None:
        """One tenant takes over what another one knows."""
        archive = await self.versions.export("live", tenant=self.somebody())
        await self.steering.bring(archive, tenant=self.somebody())

    async def forget_user(self) -> None:
        await self.forget(Identity(kind="user", tenant=self.somebody(), name=self.rng.choice(SOURCES[1:])))

    async def forget_tenant(self) -> None:
        gone = self.tenants.pop(self.rng.randrange(TENANTS))
        self.tenants.append(self.newcomer())
        await self.forget(Identity(kind="tenant", tenant=gone))

    async def forget(self, whose: Identity) -> None:
        begun = await self.service.erasures.begin(whose, by=Identity(kind="key", tenant=EVERYONE, name="admin"))
        await begun.ended

    async def check(self) -> None:
        """The live state is what the log says."""
        await self.service.learner.settled()

        def gap() -> float:
            with self.service.engine.connect() as connection:
                anew = refold(connection, make_policy=make)
            return difference(contents(anew), contents(self.service.learner.fold))

        assert await asyncio.to_thread(gap) <= TOLERANCE


async def rage(events: int, seed: int) -> None:
    settings = Settings()
    assert settings.config is not None
    async with running(settings, load(settings.config)) as service:
        await Storm(service=service, rng=random.Random(seed)).rage(until=events)
        assert service.metrics.learner_failures._value.get() == 0


def survive(home: Path, *, events: int, kills: int, seed: int) -> int:
    """Let a storm rage in a process that is killed so many times on the way. Returns how much feedback counts."""
    home.mkdir(exist_ok=True)
    models = [
        card(name, "http://127.0.0.1:9", description=f"Knows all about {name}.") for name in ("ants", "bees", "cats")
    ]
    (home / "polyculture.yaml").write_text(yaml.safe_dump({"models": models}), encoding="utf-8")
    rng, told = random.Random(seed), environment(home) | {"POLYCULTURE_DURABLE_WAIT_MS": "60000"}
    for turn in range(kills + 1):
        end = events if turn == kills else rng.randint(events * turn // kills, events * (turn + 1) // kills)
        command = [sys.executable, "-m", "tests.log.storm", str(home), "--child", "--events", str(events)]
        with subprocess.Popen(
            [*command, "--seed", str(seed + turn)], env=told, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            for line in child.stdout:
                if line.strip().isdigit() and turn < kills and int(line) >= end:
                    child.kill()
        assert child.returncode == (-9 if turn < kills else 0), f"turn {turn}, seed {seed}"
        with connect(home / "data").connect() as connection:
            found = verify(connection, make_policy=make)
        assert found.largest <= TOLERANCE, f"turn {turn}, seed {seed}: {found}"
        assert not found.altered, f"turn {turn}, seed {seed}: {found}"
        print(f"turn {turn}: {found.events} events, {found.feedback} count, {len(found.versions)} versions", flush=True)
    return found.feedback


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        asyncio.run(rage(given.events, given.seed))
    else:
        survive(given.directory, events=given.events, kills=given.kills, seed=given.seed)
