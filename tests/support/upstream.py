"""A real model server on loopback, in a thread of its own, that says what a test wants, to the byte."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Literal, TypeVar

from tests.support import answers
from tests.support.answers import Document
from tests.transport.servers import Peer, serving

#: Longest wait for what a test expects of the server, in seconds.
PATIENCE_S = 15.0

Ending = Literal["keep", "close", "reset", "hang"]

U = TypeVar("U", bound="Upstream")


@dataclass(frozen=True, kw_only=True)
class Script:
    """Bytes to send, as they are, and what to do with the connection then."""

    pieces: Sequence[bytes]
    ending: Ending = "keep"
    pause_s: float = 0.0
    delay_s: float = 0.0


@dataclass(kw_only=True)
class Call:
    """One request as it arrived, and what became of it."""

    model: str
    head: bytes
    body: bytes
    script: Script
    sent: int = 0
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def document(self) -> Document:
        return read(self.head, self.body)

    def header(self, name: str) -> str | None:
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            found, _, value = line.partition(":")
            if found.lower() == name:
                return value.strip()
        return None


class Upstream:
    """Answers as a model would, unless a script is set for the model asked for; ``once`` holds for its next call."""

    def __init__(self) -> None:
        self.once: dict[str, Script] = {}
        self.scripts: dict[str, Script] = {}
        self.calls: list[Call] = []
        self.probes = 0
        self.url = ""

    def clear(self) -> None:
        self.once.clear()
        self.scripts.clear()
        self.calls.clear()
        self.probes = 0

    def calls_of(self, model: str) -> list[Call]:
        return [call for call in self.calls if call.model == model]

    def wait_for_call(self, model: str) -> Call:
        """The first call of a model, waited for."""
        waited = threading.Event()
        for _ in range(int(PATIENCE_S / 0.01)):
            if found := self.calls_of(model):
                return found[0]
            waited.wait(0.01)
        raise AssertionError(f"no call of {model} came")

    async def handle(self, peer: Peer) -> None:
        """Serve one connection."""
        while True:
            head, body = await peer.request()
            if head.startswith(b"GET "):
                self.probes += 1
                await peer.send(whole(b'{"object": "list", "data": []}'))
                continue
            document = read(head, body)
            model = self.named(head, document)
            script = self.once.pop(model, None) or self.scripts.get(model) or self.speak(head, document)
            call = Call(model=model, head=head, body=body, script=script)
            self.calls.append(call)
            if not await _play(peer, call):
                return

    def named(self, head: bytes, document: Document) -> str:
        """The model that is asked."""
        name: str = document["model"]
        return name

    def speak(self, head: bytes, document: Document) -> Script:
        """What a model without a script says."""
        return speak(head, document)


async def _play(peer: Peer, call: Call) -> bool:
    """Send a script; tell whether the connection goes on."""
    script = call.script
    try:
        await asyncio.sleep(script.delay_s)
        for piece in script.pieces:
            await peer.send(piece)
            call.sent += 1
            if script.pause_s:
                await asyncio.sleep(script.pause_s)
    except ConnectionError:
        call.gone.set()
        return False
    if script.ending == "hang":
        await peer.gone()
        call.gone.set()
    elif script.ending == "reset":
        peer.reset()
    return script.ending == "keep"


def read(head: bytes, body: bytes) -> Document:
    """A request's fields, be it JSON or a form."""
    kind = re.search(rb"(?i)content-type: (multipart/form-data[^\r]*)", head)
    if kind is None:
        document: Document = json.loads(body)
        return document
    form = message_from_bytes(b"content-type: " + kind[1] + b"\r\n\r\n" + body)
    parts = [part for part in form.walk() if not part.is_multipart()]
    fields = {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True) for part in parts
    }
    return {**fields, "model": bytes(fields["model"]).decode()}


def speak(head: bytes, document: Document) -> Script:
    """What a model in good health says; it refuses what it cannot make sense of."""
    try:
        if b"/embeddings " in head:
            return Script(pieces=[whole(answers.embeddings(document))])
        if b"/moderations " in head:
            return Script(pieces=[whole(answers.moderation(document))])
        if b"/audio/speech " in head:
            return Script(pieces=[whole(document["input"].encode() * 1000, kind="audio/mpeg")])
        if b"/audio/" in head:
            heard = f"{len(document['file'])} bytes, by {document['model']}"
            return Script(pieces=[whole(answers.compact({"text": heard, "usage": {"type": "duration", "seconds": 1}}))])
        if document.get("stream"):
            return Script(pieces=stream(answers.events(document)))
        return Script(pieces=[whole(answers.completion(document))])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return refusal(400, "That is no request that a model could answer.")


def whole(body: bytes, *, status: int = 200, kind: str = "application/json", **headers: str) -> bytes:
    """A response of known length; in header names, ``_`` stands for ``-``."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    fields = f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n{''.join(lines)}"
    return f"HTTP/1.1 {status} Some Reason\r\n{fields}\r\n".encode() + body


def stream(events: Sequence[bytes], *, kind: str = "text/event-stream", end: bool = True) -> list[bytes]:
    """A chunked response: its head, each event as a chunk, and the end, if it comes to that."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    return [head, *map(chunk, events), *([b"0\r\n\r\n"] if end else [])]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def refusal(status: int, message: str = "No.", **headers: str) -> Script:
    """An error as OpenAI's servers send it."""
    error = {"message": message, "type": "some_error", "param": "seed", "code": "some_code"}
    return Script(pieces=[whole(answers.compact({"error": error}), status=status, **headers)])


@contextmanager
def running(upstream: U) -> Iterator[U]:
    """The server, running from here to the end of the block."""
    loop = asyncio.new_event_loop()
    up, over = threading.Event(), asyncio.Event()

    async def main() -> None:
        async with serving(upstream.handle) as server:
            upstream.url = f"{server.origin}/v1"
            up.set()
            await over.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=run, name="upstream")
    thread.start()
    try:
        assert up.wait(PATIENCE_S)
        yield upstream
    finally:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(over.set)
        thread.join(PATIENCE_S)
