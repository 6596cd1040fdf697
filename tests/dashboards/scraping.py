"""A real Prometheus that scrapes one gateway."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from dashboards import HERE, alerts
from tests.support.gateway import PATIENCE_S, Gateway, eventually
from tests.support.programs import prometheus

INTERVAL_S = 0.25


class Prometheus:
    """Its API."""

    def __init__(self, *, url: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/api/v1", timeout=PATIENCE_S)

    def up(self) -> bool:
        """Whether it is ready and has scraped the gateway."""
        try:
            ready = self._client.get("/query", params={"query": "up == 1"})
        except httpx.TransportError:
            return False
        return ready.status_code == 200 and bool(ready.json()["data"]["result"])

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression yields now."""
        answer = self._client.get("/query", params={"query": expression})
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def rules(self) -> dict[str, str]:
        """Each rule's health by its name."""
        groups = self._client.get("/rules").json()["data"]["groups"]
        return {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}

    def close(self) -> None:
        self._client.close()


@contextmanager
def scraping(gateway: Gateway, folder: Path) -> Iterator[Prometheus]:
    """Prometheus from here to the end of the block, its data in ``folder``."""
    configuration = {
        "global": {"scrape_interval": f"{INTERVAL_S * 1000:.0f}ms", "evaluation_interval": "1s"},
        "rule_files": [str(HERE / alerts.NAME)],
        "scrape_configs": [
            {"job_name": "polyculture", "static_configs": [{"targets": [f"127.0.0.1:{gateway.port}"]}]},
        ],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    arguments = (
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([prometheus() / "prometheus", *arguments], stdout=log, stderr=log)
    server = Prometheus(url=f"http://{address}")
    try:
        eventually(lambda: process.poll() is not None or server.up())
        assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
        yield server
    finally:
        server.close()
        process.terminate()
        process.wait(PATIENCE_S)
