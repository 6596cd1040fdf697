"""The specialists' processes: begun at once, begun again after a crash, and never outliving the gateway."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import httpx
import psutil
import pytest
import structlog
import yaml
from structlog.testing import LogCapture

from gateway.config import parse
from gateway.specialists.child import Child
from gateway.specialists.supervisor import Supervisor, serve_all

PARENT = """
import asyncio, json, structlog
from gateway.specialists.supervisor import Supervisor

async def main():
    supervisor = Supervisor(names=["mathematics", "sentiment"], log=structlog.get_logger())
    await supervisor.start()
    await supervisor.ready(timeout_s=30)
    print(json.dumps(supervisor.alive()), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def capturing() -> tuple[Any, list[Any]]:
    capture = LogCapture()
    return structlog.wrap_logger(None, processors=[capture]), capture.entries


def gone(pid: int) -> bool:
    """Whether the process has ended, be it that nobody has collected it yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def eventually(condition: Callable[[], bool], *, within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_children_vanish_when_their_parent_is_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        pids = json.loads(parent.stdout.readline())
        assert set(pids) == {"mathematics", "sentiment"}
        family = [*pids.values(), *(child.pid for child in psutil.Process(pids["mathematics"]).children())]
        assert len(family) == 3
        parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: all(gone(pid) for pid in family))


def test_a_child_ends_with_its_standard_input() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "gateway.specialists", "sentiment", "--fd", str(listener.fileno())]
        environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        child = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()], env=environment)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/healthz"
        assert httpx.get(url, timeout=30, trust_env=False).is_success
        child.communicate()
        assert child.returncode == 0


def test_a_crashed_child_is_started_again_on_its_port() -> None:
    log, entries = capturing()

    async def crash() -> None:
        supervisor = Supervisor(names=["sentiment"], log=log)
        (card,) = await supervisor.start()
        await supervisor.ready(timeout_s=30)
        first = supervisor.alive()["sentiment"]
        os.kill(first, signal.SIGKILL)
        await asyncio.to_thread(eventually, lambda: gone(first))
        await supervisor.ready(timeout_s=30)
        assert supervisor.alive()["sentiment"] != first
        assert supervisor.cards() == (card,)
        await supervisor.stop()
        assert supervisor.alive() == {}
        address = card.upstream.base_url
        assert address is not None
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(address.host, address.port)

    asyncio.run(crash())
    assert [(entry["event"], entry["specialist"], entry["code"]) for entry in entries] == [
        ("specialist_ended", "sentiment", -signal.SIGKILL)
    ]


def test_a_child_that_cannot_start_is_tried_again_ever_later() -> None:
    log, entries = capturing()

    async def fail() -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            child = asyncio.create_task(Child(name="nothing", listener=listener, log=log).run())
            await asyncio.to_thread(eventually, lambda: len(entries) >= 2)
            child.cancel()
            with suppress(asyncio.CancelledError):
                await child

    asyncio.run(asyncio.wait_for(fail(), 30))
    assert [entry["code"] for entry in entries] == [1, 1]
    assert "No module named 'gateway.specialists.nothing'" in entries[0]["last_words"]
    assert [entry["restart_in_s"] for entry in entries] == [0.25, 0.5]


def test_a_specialist_without_its_package_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vaderSentiment", None)
    log, entries = capturing()

    async def start() -> list[str]:
        supervisor = Supervisor(names=["sentiment", "units"], log=log)
        started = [card.id for card in await supervisor.start()]
        await supervisor.stop()
        return started

    assert asyncio.run(start()) == ["units"]
    assert entries == [
        {
            "event": "specialist_left_out",
            "log_level": "warning",
            "specialist": "sentiment",
            "install": ["vaderSentiment"],
        }
    ]


def test_start_does_not_wait_but_ready_does() -> None:
    async def start() -> None:
        supervisor = Supervisor(names=["units"], log=structlog.get_logger())
        await supervisor.start()
        assert supervisor.alive() == {}
        with pytest.raises(TimeoutError):
            await supervisor.ready(timeout_s=0.01)
        await supervisor.stop()

    asyncio.run(start())


def test_a_child_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PROVIDER_KEY", "sk-secret")

    async def look() -> dict[str, str]:
        supervisor = Supervisor(names=["sentiment"], log=structlog.get_logger())
        await supervisor.start()
        await supervisor.ready(timeout_s=30)
        known = psutil.Process(supervisor.alive()["sentiment"]).environ()
        await supervisor.stop()
        return known

    known = asyncio.run(look())
    assert "SOME_PROVIDER_KEY" not in known
    assert known["OMP_NUM_THREADS"] == "1"


def test_in_the_foreground_they_tell_their_addresses_and_a_configuration() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    lines: list[str] = []

    async def serve() -> None:
        serving = asyncio.create_task(
            serve_all(
                names=["units", "sentiment"],
                host="127.0.0.1",
                first_port=port,
                log=structlog.get_logger(),
                echo=lines.append,
            )
        )
        await asyncio.to_thread(eventually, lambda: len(lines) == 3)
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/v1/models")).json()["data"][0]["id"] == "sentiment"
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving

    asyncio.run(serve())
    assert lines[:2] == [f"sentiment: http://127.0.0.1:{port}/v1", f"units: http://127.0.0.1:{port + 1}/v1"]
    assert [card.id for card in parse(yaml.safe_load(lines[2]), origin="echo").models] == ["sentiment", "units"]
