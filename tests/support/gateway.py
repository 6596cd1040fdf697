"""Real gateways: ``python -m gateway serve`` in a process of its own, spoken to over HTTP."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa
import yaml
from prometheus_client.parser import text_string_to_metric_families

from gateway.database import connect
from gateway.events import Event
from gateway.schema import events
from gateway.transaction import Record, read

E = TypeVar("E", bound=Event)

KEY, ADMIN_KEY = "pc-test-key", "pca-test-key"

#: Longest wait for a gateway to start, to stop, or to show an effect, in seconds.
PATIENCE_S = 60.0

_BANNER = re.compile(r"Polyculture serves on (http://\S+)")


class Gateway:
    """A running gateway and a client of it."""

    def __init__(self, *, process: subprocess.Popen[bytes], log: Path, data_dir: Path) -> None:
        self.process = process
        self.data_dir = data_dir
        self.status = 0
        self._log = log
        self.url = self._wait_for_banner()
        self.client = httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {KEY}"}, timeout=PATIENCE_S)

    def _wait_for_banner(self) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if found := _BANNER.search(self.log):
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"the gateway did not start:\n{self.log}")

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def chat(self, prompt: str = "Hello", *, headers: Mapping[str, str] | None = None, **fields: Any) -> httpx.Response:
        """One chat request; ``fields`` go into its body."""
        return self.client.post("/v1/chat/completions", json=question(prompt, **fields), headers=headers)

    def recovered(self, *models: str) -> None:
        """Wait until each of these models answers: none rests for what it was made to do."""
        for model in models:
            eventually(lambda model=model: self.chat(model=model).status_code == 200)

    def route(self, prompt: str = "Hello", *, headers: Mapping[str, str] | None = None, **fields: Any) -> Any:
        """A dry run's answer."""
        answer = self.client.post("/v1/route", json=question(prompt, **fields), headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def probabilities(self, prompt: str = "Hello", **fields: Any) -> dict[str, float]:
        """Each eligible model's probability, by a dry run."""
        return {each["model"]: each["probability"] for each in self.route(prompt, **fields)["candidates"]}

    def feedback(self, document: Any, *, key: str = KEY) -> httpx.Response:
        return self.client.post("/v1/feedback", json=document, headers={"authorization": f"Bearer {key}"})

    def admin(self, action: str, document: Any = None, *, key: str = ADMIN_KEY) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}"}
        return self.client.post(f"/admin/v1/router/{action}", headers=headers, json=document)

    def look(self, what: str, **query: Any) -> Any:
        """What an admin is shown of the router."""
        headers = {"authorization": f"Bearer {ADMIN_KEY}"}
        answer = self.client.get(f"/admin/v1/router/{what}", headers=headers, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def metrics(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample by name and sorted labels."""
        families = text_string_to_metric_families(self.client.get("/metrics").text)
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that carry these labels."""
        wanted = labels.items()
        return sum(
            value for (found, given), value in self.metrics().items() if found == name and wanted <= dict(given).items()
        )

    def events(self, kind: type[E], *, about: str | None = None) -> list[E]:
        """What the log on disk holds of one kind of event, and of one decision by its id."""
        found = [record.event for record in self.records(kind, about=about)]
        return [event for event in found if isinstance(event, kind)]

    def records(self, kind: type[Event], *, about: str | None = None) -> list[Record]:
        """The same, each with its place, time, tenant and source."""
        of_subject = events.c.subject == bytes.fromhex(about) if about is not None else sa.true()
        with connect(self.data_dir).connect() as connection:
            return read(connection, events.c.kind == kind.kind, of_subject)

    def kill(self) -> None:
        """End it at once, whatever it is about."""
        self.status = -signal.SIGKILL
        assert self.stop(signal.SIGKILL) == self.status

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit status."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)


def question(prompt: str, **fields: Any) -> dict[str, Any]:
    """A chat request's body."""
    return {"model": "auto", "messages": [{"role": "user", "content": prompt}], **fields}


def eventually(check: Any) -> Any:
    """The first true value that ``check()`` returns, within patience."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := check()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
    return found


@contextmanager
def spawned(
    home: Path, configuration: Mapping[str, Any], **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The process of a gateway whose files are in ``home``, and its log, as soon as there is one."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "polyculture.yaml").write_text(yaml.safe_dump(dict(configuration), sort_keys=False), encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("POLYCULTURE_")}
    given = {
        "POLYCULTURE_CONFIG": str(home / "polyculture.yaml"),
        "POLYCULTURE_DATA_DIR": str(home / "data"),
        "POLYCULTURE_API_KEY": KEY,
        "POLYCULTURE_ADMIN_KEY": ADMIN_KEY,
        "POLYCULTURE_EMBEDDER": "static",
    }
    log = home / f"log-{time.monotonic_ns()}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--port", "0"],
            cwd=home,
            env={**clean, **given, **environment},
            stdout=output,
            stderr=output,
        )
    try:
        yield process, log
    finally:
        process.kill()
        process.wait(PATIENCE_S)


@contextmanager
def launched(home: Path, configuration: Mapping[str, Any], **environment: str) -> Iterator[Gateway]:
    """A gateway whose files are in ``home``; on the way out it must end well, without a traceback in its log."""
    with spawned(home, configuration, **environment) as (process, log):
        gateway = Gateway(process=process, log=log, data_dir=home / "data")
        yield gateway
        status = gateway.stop()
        assert status == gateway.status, gateway.log
        assert "Traceback" not in gateway.log, gateway.log
