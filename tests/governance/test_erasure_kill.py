"""kill -9 while a tenant is being erased: the next start goes on, to the end."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from gateway.events import ArmSet
from tests.governance.planted import marker, plant, subject, vector
from tests.governance.test_erasure import ADMIN, files
from tests.log.process import environment, serving
from tests.support.gateway import Gateway, eventually
from tests.support.upstream import Upstream

TENANTS = ("ampere", "becquerel")

EVENTS = 2_000

#: How long an erasure goes on at most before the kill, in seconds.
MOMENT_S = 0.4


def begin(gateway: Gateway, tenant: str) -> str:
    answer = gateway.client.delete(f"/admin/v1/tenants/{tenant}", params={"wait": 0}, headers=ADMIN)
    assert answer.status_code == 200, answer.text
    name: str = answer.json()["id"]
    return name


def check_erased(gateway: Gateway, erasure: str, tenant: str) -> None:
    """It ends, and leaves a receipt and nothing else."""

    def ended() -> bool:
        found = gateway.client.get(f"/admin/v1/erasures/{erasure}", headers=ADMIN).json()
        return bool(found["receipt"])

    eventually(ended)
    left, dimensions = files(gateway.data_dir), len(gateway.events(ArmSet)[0].prior) // 8
    for number in (0, EVENTS // 5, 2 * EVENTS // 5):
        assert marker(tenant, number).encode() not in left
        assert subject(tenant, number) not in left
        assert vector(tenant, number, dimensions) not in left
    assert tenant.encode() not in left


def test_what_was_begun_is_ended(tmp_path: Path, upstream: Upstream) -> None:
    home, rng = tmp_path / "home", random.Random()
    with serving(home, upstream=upstream.url) as gateway:
        assert gateway.chat().status_code == 200
        assert gateway.stop() == 0
    plant(home / "data", [*TENANTS, "stranger"], events=EVENTS)
    erased: dict[str, str] = {}
    for tenant in TENANTS:
        with serving(home, upstream=upstream.url) as gateway:
            for known, erasure in erased.items():
                check_erased(gateway, erasure, known)
            erased[tenant] = begin(gateway, tenant)
            time.sleep(rng.uniform(0, MOMENT_S))
            gateway.process.send_signal(signal.SIGKILL)
    with serving(home, upstream=upstream.url) as gateway:
        for known, erasure in erased.items():
            check_erased(gateway, erasure, known)
        assert subject("stranger", 7) in files(gateway.data_dir)
        assert "Traceback" not in gateway.log
        assert gateway.stop() == 0
    for command in (("router", "verify"), ("audit", "verify")):
        told = subprocess.run(
            [sys.executable, "-m", "gateway", *command],
            env=environment(home),
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stdout + told.stderr
