"""Servers that many tests share: one upstream, a gateway before healthy models, one before models that misbehave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support import cards, gateway, upstream
from tests.support.gateway import Gateway
from tests.support.upstream import Upstream

ACME_KEY = "pc-acme-key"
METRICS_TOKEN = "scrape"

Start = Callable[..., Gateway]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[Upstream]:
    with upstream.running(Upstream()) as server:
        yield server


@pytest.fixture(name="upstream")
def cleared_upstream(shared_upstream: Upstream) -> Upstream:
    """The model server, without earlier tests' scripts and calls."""
    shared_upstream.clear()
    return shared_upstream


@pytest.fixture(scope="session")
def healthy(shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway before models that are all well. Tests leave its learning on."""
    home = tmp_path_factory.mktemp("healthy")
    environment = {"ACME_KEY": ACME_KEY, "POLYCULTURE_METRICS_TOKEN": METRICS_TOKEN}
    with gateway.launched(home, cards.healthy(shared_upstream.url), **environment) as running:
        yield running


@pytest.fixture(scope="session")
def shared_faulty(shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway before models that follow scripts."""
    home = tmp_path_factory.mktemp("faulty")
    with gateway.launched(home, cards.faulty(shared_upstream.url), POLYCULTURE_MAX_ANSWER_BYTES="300000") as running:
        yield running


@pytest.fixture
def faulty(shared_faulty: Gateway, upstream: Upstream) -> Gateway:
    """The same; none of its models rests for what another test had it do."""
    shared_faulty.recovered("scripted", "impatient", "first", "second")
    upstream.clear()
    return shared_faulty


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts gateways for one test; a second start in the same ``home`` finds the first one's data."""
    with ExitStack() as stack:

        def launch(configuration: dict[str, Any], *, home: str = "home", **environment: str) -> Gateway:
            return stack.enter_context(gateway.launched(tmp_path / home, configuration, **environment))

        yield launch
