"""Models changed until the process is killed, again and again: what was acknowledged holds, and routing agrees."""

from __future__ import annotations

import random
import threading
import time

import httpx

from tests.admin.test_models import begun, least
from tests.conftest import Start
from tests.support.gateway import Gateway
from tests.support.registered import Models
from tests.support.upstream import Upstream

ROUNDS, NAMES = 3, ("a", "b", "c", "d")

#: When a process is killed after it began to serve, in seconds.
MOMENT_S = (0.1, 0.8)


class Changes:
    """What was acknowledged of each model, its window or ``None`` for none; ``open`` is whose change was not."""

    def __init__(self, *, upstream: Upstream, rng: random.Random) -> None:
        self.known: dict[str, int | None] = dict.fromkeys(NAMES)
        self.open = ""
        self._upstream = upstream
        self._rng = rng

    def go_on(self, models: Models) -> None:
        """Change models until nobody answers."""
        while True:
            name, window = self._rng.choice(NAMES), self._rng.randrange(1000, 9000)
            self.open = name
            try:
                self._change(models, name, window)
            except httpx.TransportError:
                return
            self.open = ""

    def _change(self, models: Models, name: str, window: int) -> None:
        if self.known[name] is None:
            assert models.create({**least(name, self._upstream), "context_window": window}).status_code == 201
            self.known[name] = window
        elif window % 3:
            said = {"context_window": window, "description": f"good at {window}"}
            assert models.edit(name, said).status_code == 200
            self.known[name] = window
        else:
            assert models.delete(name).status_code == 200
            self.known[name] = None

    def settle(self, gateway: Gateway, models: Models) -> None:
        """Compare with what there is after a start; a change that nobody answered may have come to pass."""
        there = {name: models.get(name)["card"]["context_window"] for name in models.names(origin="api")}
        for name, window in self.known.items():
            if name != self.open:
                assert there.get(name) == window
        self.known = {name: there.get(name) for name in NAMES}
        assert set(gateway.probabilities()) == {"first", *there}


def test_no_acknowledged_change_is_lost(start: Start, upstream: Upstream) -> None:
    rng = random.Random()
    changes = Changes(upstream=upstream, rng=rng)
    for _ in range(ROUNDS):
        gateway, models = begun(start, upstream)
        changes.settle(gateway, models)
        changing = threading.Thread(target=changes.go_on, args=(models,))
        changing.start()
        time.sleep(rng.uniform(*MOMENT_S))
        gateway.process.kill()
        changing.join()
        gateway.kill()
    gateway, models = begun(start, upstream)
    changes.settle(gateway, models)
    assert "Traceback" not in gateway.log
