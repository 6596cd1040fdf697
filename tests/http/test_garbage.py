"""What a request held goes when it ends, however it ends, and waits for no collection of cycles: those are rare, and
until then each would keep a whole snapshot of what the router knew, or all that was sent.
"""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from gateway.app import Application
from gateway.config import parse
from gateway.disconnect import PATIENCE_S, Watch
from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.http import Message
from gateway.routing import Choice
from gateway.service import Service, running
from gateway.settings import Settings
from gateway.transport import TransportError
from tests.support import answers
from tests.support.cards import card
from tests.support.gateway import KEY, question
from tests.support.upstream import Script, Upstream, refusal, stream, whole

pytestmark = pytest.mark.anyio

AUTHORIZATION = (b"authorization", f"Bearer {KEY}".encode())

ANSWER = whole(answers.completion({"model": "m", "messages": []}))

SCRIPTS = {
    "refused": refusal(400),
    "failed": refusal(500),
    "limited": refusal(429),
    "reset": Script(pieces=[], ending="reset"),
    "not HTTP": Script(pieces=[b"SSH-2.0-OpenSSH_9.6\r\n"], ending="close"),
    "broken off": Script(pieces=stream(answers.events({"model": "m"})[:3], end=False), ending="reset"),
    "silent": Script(pieces=[], ending="hang"),
    "slow": Script(pieces=[ANSWER], delay_s=2 * PATIENCE_S),
}


@pytest.fixture(autouse=True)
def _uncollected() -> Iterator[None]:
    gc.collect()
    gc.freeze()  # what there is by now is not looked at
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@asynccontextmanager
async def serving(home: Path, upstream: Upstream, **routing: object) -> AsyncIterator[Service]:
    """A gateway in this process."""
    models = [card(name, upstream.url, first_byte_s=0.3, idle_s=0.3) for name in ("first", "second")]
    settings = Settings(data_dir=home, embedder="static", api_key=SecretStr(KEY))
    async with running(settings, parse({"models": models, "routing": routing}, origin="here")) as service:
        yield service


def client(service: Service) -> httpx.AsyncClient:
    """Asks it without a socket in between."""
    transport = httpx.ASGITransport(Application(service=service))
    return httpx.AsyncClient(transport=transport, base_url="http://here", headers=[AUTHORIZATION])


def kept(each: object) -> bool:
    """Whether this is of a request: also an error, which by its traceback holds what those who met it knew."""
    if isinstance(each, GatewayError | TransportError):
        return each.__traceback__ is not None
    return isinstance(each, Choice | Exchange | Watch)


async def held() -> list[str]:
    """What is left of requests that are over, once what they began has had its time to end."""
    for _ in range(100):
        found = [type(each).__name__ for each in gc.get_objects() if kept(each)]
        if not found:
            break
        await asyncio.sleep(0.01)
    return found


@pytest.mark.parametrize("hedged", [False, True])
@pytest.mark.parametrize("streaming", [False, True])
async def test_nothing_is_left_of_a_request(tmp_path: Path, upstream: Upstream, streaming: bool, hedged: bool) -> None:
    hedge = {"hedge_after_s": 0.02} if hedged else {}
    async with serving(tmp_path, upstream, **hedge) as service, client(service) as asking:
        for name, script in SCRIPTS.items():
            for failing in ({"first"}, {"second"}, {"first", "second"}):
                for model in service.registry:
                    model.breaker.succeeded()
                upstream.scripts = dict.fromkeys(failing, script)
                answer = await asking.post("/v1/chat/completions", json=question("Hello", stream=streaming))
                assert await held() == [], (name, failing, answer.text)


async def test_nothing_is_left_of_a_client_that_left(tmp_path: Path, upstream: Upstream) -> None:
    upstream.scripts = dict.fromkeys(("first", "second"), SCRIPTS["silent"])
    sent = iter([{"type": "http.request", "body": json.dumps(question("Hello")).encode()}])
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": [AUTHORIZATION]}
    answered: list[Message] = []

    async def receive() -> dict[str, Any]:
        if (message := next(sent, None)) is not None:
            return message
        await asyncio.sleep(PATIENCE_S)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answered.append(message)

    async with serving(tmp_path, upstream) as service:
        await Application(service=service)(scope, receive, send)
        assert upstream.calls
        assert answered == []
        assert await held() == []
