"""A measured process and its children: when it first answers, the processor time it uses, the memory it holds."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

import msgspec
import psutil

from gateway.bench.overhead.load import Job, LoadFailed, Outcome

START_PATIENCE_S = 90.0
STOP_PATIENCE_S = 10.0
POLL_S = 0.005


class ProcessFailed(Exception):
    """A process ended, or never answered; the message holds the end of what it printed."""


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A running command, seen together with the processes it has started."""

    def __init__(self, *, popen: subprocess.Popen[bytes], log: Path) -> None:
        self._popen = popen
        self._log = log
        self._spawned = time.perf_counter()
        self._root = psutil.Process(popen.pid)

    @property
    def pid(self) -> int:
        """The command's own process."""
        return self._popen.pid

    def first_answer_s(self, *, port: int, key: str, model: str) -> float:
        """Seconds from the spawn to the first completed chat completion. Raises :class:`ProcessFailed`."""
        question = [{"role": "user", "content": "Are you there?"}]
        body = json.dumps({"model": model, "messages": question, "max_tokens": 1})
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        answer = "no connection"
        while time.perf_counter() - self._spawned < START_PATIENCE_S:
            if self._popen.poll() is not None:
                raise ProcessFailed(f"ended with status {self._popen.returncode}: {self._printed()}")
            connection = HTTPConnection("127.0.0.1", port, timeout=START_PATIENCE_S)
            try:
                connection.request("POST", "/v1/chat/completions", body, headers)
                response = connection.getresponse()
                answer = f"{response.status}: {response.read(500).decode(errors='replace')}"
                if response.status == 200:
                    return time.perf_counter() - self._spawned
            except (OSError, HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(POLL_S)
        raise ProcessFailed(f"no answer within {START_PATIENCE_S:g} s (last: {answer}): {self._printed()}")

    def cpu_s(self) -> float:
        """Processor seconds, user and system, used so far by the processes that are alive."""
        times = [process.cpu_times() for process in self._family()]
        return sum(time.user + time.system for time in times)

    def rss_mb(self) -> float:
        """Resident memory in MB (10^6 bytes)."""
        return sum(process.memory_info().rss for process in self._family()) / 1e6

    def stop(self) -> None:
        """Terminate it and whatever it started, and kill what does not go."""
        family = self._family() if self._root.is_running() else []
        self._popen.terminate()
        try:
            self._popen.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        for process in psutil.wait_procs(family, timeout=1)[1]:
            process.kill()

    def _family(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]

    def _printed(self) -> str:
        return self._log.read_text(errors="replace")[-1500:].strip() or "it printed nothing"


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Our own environment without settings of the gateway or of a web proxy, and ``extra``."""
    left_out = [name for name in os.environ if name.startswith("POLYCULTURE_") or name.lower().endswith("_proxy")]
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return kept | {"PYTHONUNBUFFERED": "1"} | dict(extra)


@contextmanager
def running(command: Sequence[str], *, extra: Mapping[str, str], log: Path) -> Iterator[Process]:
    """Run a command until the block ends; what it prints goes to ``log``."""
    with log.open("wb") as printed:
        popen = subprocess.Popen(
            command, env=environment(extra), stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT
        )
    process = Process(popen=popen, log=log)
    try:
        yield process
    finally:
        process.stop()


class Generator:
    """The load generator's process."""

    def __init__(self, *, jobs: IO[str], outcomes: IO[str]) -> None:
        self._jobs = jobs
        self._outcomes = outcomes

    def run(self, job: Job) -> Outcome:
        """Do a job there. Raises :class:`LoadFailed`."""
        self._jobs.write(msgspec.json.encode(job).decode() + "\n")
        self._jobs.flush()
        line = self._outcomes.readline()
        if not line:
            raise LoadFailed("the load generator ended")
        outcome = msgspec.json.decode(line, type=Outcome)
        if outcome.error:
            raise LoadFailed(outcome.error)
        return outcome


@contextmanager
def generator() -> Iterator[Generator]:
    """A load generator until the block ends."""
    command = [sys.executable, "-m", "gateway.bench.overhead.load"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as popen:
        assert popen.stdin is not None
        assert popen.stdout is not None
        try:
            yield Generator(jobs=popen.stdin, outcomes=popen.stdout)
        finally:
            popen.terminate()
