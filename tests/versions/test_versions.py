"""Versions: what is saved, and what it is."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gateway.archive import contents, pack
from gateway.history import refold
from gateway.versions.version import KEEP, UnknownVersion
from router_models import make
from tests.log.conftest import Run
from tests.log.samples import TENANT, started
from tests.versions.teaching import Taught, taught


def test_a_saved_state_says_what_it_is_and_where_it_came_from(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.teach("a")
            first = await here.versions.save()
            await here.teach("b")
            second = await here.versions.save()
            assert [each.id for each in await here.versions.list()] == [second.id, first.id] == ["1.33", "1.18"]
            assert (first.parent, second.parent) == ("", "1.18")
            assert (second.lineage, second.position, second.reason, second.pinned) == (1, 33, "asked", False)
            assert (second.embedder, second.policy) == ("test", "polyculture")
            assert second.parameters == {"cap": 0.6, "exploration": 0.01}
            assert second.figures == {"arms": 2, "lessons": 10, "tenants": 1}
            assert second.checksum == pack(contents(here.learner.fold)).checksum
            assert await here.versions.save() == second
            assert await here.versions.get("1.18") == first
        async with taught(engine) as here:
            await here.teach("a")
            assert (await here.versions.save()).parent == second.id

    run(scenario())


def test_pinned_versions_are_kept(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            told: list[int] = []
            first = await here.versions.save()
            pinned = await here.versions.pin(first.id, also=lambda transaction: told.append(transaction.position))
            assert (pinned.id, pinned.pinned, told) == (first.id, True, [3])
            for _ in range(KEEP + 2):
                await here.teach("a", times=1)
                await here.versions.save()
            assert len(await here.versions.list()) == KEEP + 1
            assert await here.versions.get(first.id) == pinned
            await here.versions.pin(first.id, pinned=False)
            await here.teach("a", times=1)
            await here.versions.save()
            assert len(await here.versions.list()) == KEEP

    run(scenario())


async def refusals(here: Taught) -> None:
    for name in ("", "1", "1.", ".5", "one.two", "1.999", "0.3", "4.2", "-1.2", "1.2.3", "1.²"):
        with pytest.raises(UnknownVersion, match="no version"):
            await here.versions.fold(name)
        with pytest.raises(UnknownVersion):
            await here.versions.get(name)
        with pytest.raises(UnknownVersion):
            await here.versions.pin(name)
        with pytest.raises(UnknownVersion):
            await here.versions.rollback(name)


def test_what_is_no_version_is_refused(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.teach("a")
            await refusals(here)
            with pytest.raises(UnknownVersion, match="the feature space there is 1"):
                await here.versions.fold("2.5")
            with pytest.raises(UnknownVersion, match="is not saved; it can be"):
                await here.versions.get("1.10")
            with pytest.raises(UnknownVersion, match="no version is saved at 10"):
                await here.versions.pin("1.10")
            here.check()

    run(scenario())


def test_any_version_can_be_folded_saved_or_not(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.teach("a")
            await here.versions.save()
            await here.teach("b")
            with engine.connect() as connection:
                for position in (3, 10, 18, 25, 33):
                    found = await here.versions.fold(f"1.{position}")
                    said = refold(connection, make_policy=make, upto=position)
                    assert pack(contents(found)) == pack(contents(said))
            assert (await here.versions.fold("live")).position == 33

    run(scenario())


def test_a_comparison_tells_who_rose_and_who_fell(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            before = await here.teach("a", times=20, bad="b")
            await here.teach("b", times=40, bad="a")
            await here.teach("a", tenant="acme")
            found = await here.versions.diff(before)
            assert (found.versions, found.policies) == ((before, "1.258"), ("polyculture", "polyculture"))
            assert (found.lessons, found.compared, found.parameters) == ((40, 125), 4, {})
            assert len((await here.versions.diff(before, limit=1)).differences) == 1
            mine = {each.arm: each for each in (await here.versions.diff(before, tenant=TENANT)).differences}
            for arm, sign in (("a", -1), ("b", 1)):
                (level, later), (share, now) = mine[arm].levels, mine[arm].shares
                assert None not in (level, later, share, now)
                assert sign * (later - level) > 0.1  # type: ignore[operator]
                assert sign * (now - share) >= 0  # type: ignore[operator]
            assert [each.size for each in found.differences] == sorted(
                (each.size for each in found.differences), reverse=True
            )
            same = await here.versions.diff("live", "live")
            assert {each.size for each in same.differences} == {0.0}

    run(scenario())


def test_other_hyperparameters_and_arms_stand_in_a_comparison(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.teach("a")
            await here.live.say(started(cap=0.9))
            found = await here.versions.diff("1.18", "live", tenant=TENANT)
            assert found.parameters == {"cap": (0.6, 0.9)}
            assert {(each.arm, each.levels[1], each.size) for each in found.differences} == {
                ("a", None, float("inf")),
                ("b", None, float("inf")),
            }

    run(scenario())
