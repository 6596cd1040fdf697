"""A command in a process of its own: what it prints, how it fails, and that it ends with who asked for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from gateway import __version__
from gateway.aside import NICENESS, AsideFailed, aside

PATIENCE_S = 30.0


def test_it_gives_what_the_command_prints() -> None:
    assert asyncio.run(aside("--version")).decode() == f"polyculture, version {__version__}\n"


def test_what_a_command_complains_of_is_told(tmp_path: Path) -> None:
    with pytest.raises(AsideFailed, match=f"^there is no database in {tmp_path}$"):
        asyncio.run(aside("explain", "0" * 32, "--data-dir", str(tmp_path)))


def test_it_yields_to_serving_and_ends_when_nobody_waits_for_it_any_more() -> None:
    me = psutil.Process()

    async def scenario() -> None:
        known = set(me.children())
        waiting = asyncio.create_task(aside("specialists", "--port", "0"))
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not (begun := [each for each in me.children() if each not in known and each.nice() == NICENESS]):
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.02)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not any(each.is_running() for each in begun)

    asyncio.run(scenario())
