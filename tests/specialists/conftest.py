"""One set of real specialists for all tests of this folder: real processes, reached over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import structlog
from anyio.from_thread import BlockingPortal, start_blocking_portal
from openai import OpenAI

from gateway.config import ModelCard
from gateway.specialists.supervisor import Supervisor

Cards = dict[str, ModelCard]
Ask = Callable[[str, str], str]


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="session")
def cards(portal: BlockingPortal) -> Iterator[Cards]:
    supervisor = Supervisor(log=structlog.get_logger())
    cards = portal.call(supervisor.start)
    yield {card.id: card for card in cards}
    portal.call(supervisor.stop)


@pytest.fixture(scope="session")
def connect(cards: Cards) -> Iterator[Callable[[str], OpenAI]]:
    clients = {
        name: OpenAI(base_url=str(card.upstream.base_url), api_key="none", max_retries=0, timeout=60)
        for name, card in cards.items()
    }
    yield clients.__getitem__
    for client in clients.values():
        client.close()


@pytest.fixture(scope="session")
def ask(connect: Callable[[str], OpenAI]) -> Ask:
    def ask(name: str, prompt: str) -> str:
        answer = connect(name).chat.completions.create(model=name, messages=[{"role": "user", "content": prompt}])
        return answer.choices[0].message.content or ""

    return ask
