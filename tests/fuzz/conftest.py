"""A gateway to throw things at: whatever they do to its state, no other test sees it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import ACME_KEY
from tests.support import cards, gateway
from tests.support.gateway import Gateway
from tests.support.upstream import Upstream


@pytest.fixture(scope="package")
def target(shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("fuzz")
    with gateway.launched(home, cards.healthy(shared_upstream.url), ACME_KEY=ACME_KEY) as running:
        yield running
