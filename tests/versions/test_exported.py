"""What was learned, as a file: taken elsewhere it routes alike, and any other file is refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa

from gateway.database import connect, migrate
from gateway.events import EVERYONE, ArmRemoved, FeedbackExcluded
from gateway.npz import document, dump, read, text
from gateway.versions.exported import MOST_BYTES, exported
from gateway.versions.steering import Refused
from router_models.policy import InvalidState
from tests.log.conftest import Run
from tests.log.living import BEGINNING
from tests.log.samples import TENANT, arm, decision, started
from tests.versions.teaching import Taught, taught


@pytest.fixture
def elsewhere(tmp_path: Path) -> sa.Engine:
    engine = connect(tmp_path / "elsewhere")
    migrate(engine)
    return engine


def changed(archive: bytes, **fields: Any) -> bytes:
    """The file with other fields in its manifest."""
    arrays = read(archive)
    return dump({**arrays, "manifest": text({**document(arrays["manifest"]), **fields})})


async def file(here: Taught) -> bytes:
    await here.teach("a", times=30, bad="b")
    return await here.versions.export("live", tenant=TENANT)


def test_it_routes_alike_elsewhere_and_comes_out_the_same(run: Run, engine: sa.Engine, elsewhere: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here, taught(elsewhere) as there:
            archive = await file(here)
            assert await here.versions.export("live", tenant=TENANT) == archive
            await there.teach("b", times=3, tenant="acme")
            assert there.shares("acme") != here.shares()
            version = await there.steering.bring(archive, tenant="acme")
            assert there.learner.published("acme").version == version
            assert there.shares("acme") == here.shares()
            assert await there.versions.export(version, tenant="acme") == archive
            there.check()
            await there.teach("b", tenant="acme")
            assert await there.versions.export("live", tenant="acme") != archive
            there.check()
        async with taught(elsewhere) as there:
            there.check()

    run(scenario())


def test_it_is_open_to_every_tool(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            (tmp_path / "state.npz").write_bytes(await file(here))
            with np.load(tmp_path / "state.npz", allow_pickle=False) as arrays:
                manifest = json.loads(bytes(arrays["manifest"]))
                names = arrays["state/names"].tolist()
            assert (manifest["format"], manifest["policy"], manifest["arms"]) == (
                "polyculture-state/1",
                "polyculture",
                ["a", "b"],
            )
            assert (manifest["embedder"], manifest["dimensions"], names) == ("test", 6, ["a", "b"])
            assert manifest["parameters"]["cap"] == 0.6

    run(scenario())


def test_models_that_are_new_here_start_from_their_descriptions(
    run: Run, engine: sa.Engine, elsewhere: sa.Engine
) -> None:
    async def scenario() -> None:
        async with taught(engine) as here, taught(elsewhere, beginning=[*BEGINNING, arm("c")]) as there:
            await there.steering.bring(await file(here), tenant=TENANT)
            assert there.learner.published(TENANT).snapshot.arms == ("a", "b", "c")
            await there.live.say(ArmRemoved(name="a"), tenant=EVERYONE)
            there.check()
            assert there.learner.published(TENANT).snapshot.arms == ("b", "c")

    run(scenario())


def test_an_import_is_undone_by_a_rollback_and_teaches_no_other_policy(
    run: Run, engine: sa.Engine, elsewhere: sa.Engine
) -> None:
    async def scenario() -> None:
        async with taught(engine) as here, taught(elsewhere) as there:
            archive = await file(here)
            before = await there.teach("b")
            alone = there.shares()
            await there.steering.bring(archive, tenant=TENANT)
            assert there.shares() == here.shares() != alone
            await there.versions.rollback(before, tenant=TENANT)
            await there.learner.settled()
            assert there.shares() == alone
            there.check()
            await there.steering.bring(archive, tenant=TENANT)
            await there.steering.change_policy("linucb")
            there.check()
            await there.live.rule(FeedbackExcluded(1, 5, "revoked"))
            there.check()

    run(scenario())


@pytest.mark.parametrize(
    ("beginning", "why"),
    [
        ([msgspec.structs.replace(started(), embedder="other"), arm("a"), arm("b")], "feature space test with 6"),
        ([started(dimensions=5), arm("a", dimensions=5), arm("b", dimensions=5)], "here it is test with 5"),
        ([started(policy="linucb"), arm("a"), arm("b")], "policy 'polyculture'; here 'linucb' is live: change it"),
        ([started(), arm("a")], "models that there are not here: b$"),
        ([started(cap=None), arm("a"), arm("b")], "other hyperparameters: cap; ask to adapt it"),
    ],
)
def test_what_does_not_fit_here_is_refused(
    run: Run, engine: sa.Engine, elsewhere: sa.Engine, beginning: list[Any], why: str
) -> None:
    async def scenario() -> None:
        async with taught(engine) as here, taught(elsewhere, beginning=beginning) as there:
            archive = await file(here)
            end = there.learner.fold.position
            with pytest.raises(Refused, match=why):
                await there.steering.bring(archive, tenant=TENANT)
            assert there.learner.fold.position == end
            if "hyperparameters" in why:
                await there.steering.bring(archive, tenant=TENANT, adapt=True)
                assert there.learner.fold.live.parameters == beginning[0].parameters
                there.check()

    run(scenario())


def test_other_files_are_refused(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            archive = await file(here)
            arrays = read(archive)
            more = dump({**arrays, "more": np.zeros(3)})
            taller = dump({**arrays, "state/estimate": arrays["state/estimate"] + 1})
            for data in (b"", b"garbage", archive[:200], dump({"a": np.zeros(1)}), changed(archive, arms=3)):
                with pytest.raises(InvalidState, match="no exported state"):
                    exported(data)
            with pytest.raises(InvalidState, match="format 'polyculture-state/9', not"):
                exported(changed(archive, format="polyculture-state/9"))
            for data in (more, taller, changed(archive, checksum="0")):
                with pytest.raises(InvalidState, match="do not match its checksum"):
                    exported(data)
            with pytest.raises(Refused, match="no exported state"):
                await here.steering.bring(b"garbage", tenant=TENANT)
            with pytest.raises(Refused, match="in another order"):
                await here.steering.bring(changed(archive, arms=["b", "a"]), tenant=TENANT)
            here.check()

    run(scenario())


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_unread() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file, file.open("manifest.npy", "w") as member:
        for _ in range(MOST_BYTES // 2**20 + 1):
            member.write(bytes(2**20))
    assert len(packed.getvalue()) < 2**20
    with pytest.raises(InvalidState, match="unpacked, it takes more than"):
        exported(packed.getvalue())


def test_sound_arrays_that_are_no_state_are_refused(run: Run, engine: sa.Engine, elsewhere: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here, taught(elsewhere, beginning=[started(policy="linucb"), arm("a")]) as there:
            archive = await file(here)
            pretending = changed(archive, policy="linucb", arms=["a"], parameters={"exploration": 0.01, "width": 1.0})
            with pytest.raises(Refused, match="the file cannot be used"):
                await there.steering.bring(pretending, tenant=TENANT, adapt=True)
            await there.live.say(decision("a"))
            there.check()

    run(scenario())
