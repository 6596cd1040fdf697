"""The clients: closed loops over keep-alive connections, every answer checked, every latency kept.

Run as ``python -m gateway.bench.overhead.load``: reads one :class:`Job` a line from standard input and writes one
:class:`Outcome` a line to standard output, so that nothing else shares the process whose clock is read.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from itertools import count
from math import ceil
from time import perf_counter
from typing import Any, cast

import httptools
import msgspec

from gateway.bench.overhead.answers import WrongAnswer, check
from gateway.bench.overhead.prompts import Prompts

PATIENCE_S = 30.0
"""Longest wait for the last answers once the time is over."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Clients that behave alike."""

    connections: int
    models: tuple[str, ...]
    """The models named, in turn."""
    first: int
    """The index of the first prompt; each request takes the next one."""
    repeat: bool = False
    """Ask the first prompt again and again."""
    stream: bool = False


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Groups at work side by side for ``seconds``, after ``warm_up_s`` that are not counted."""

    port: int
    key: str
    seconds: float
    warm_up_s: float
    groups: dict[str, Group]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """The requests that share a reason (the header ``x-polyculture-reason``)."""

    requests: int
    p50_ms: float
    p99_ms: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a group saw within the counted time. ``ttft_ms`` is the median time to the first event of a stream."""

    rps: float
    p50_ms: float
    p99_ms: float
    ttft_ms: float | None
    reasons: dict[str, Share]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a job: figures by group, all requests answered (uncounted ones too), or what went wrong."""

    figures: dict[str, Figures] = {}
    answered: int = 0
    error: str | None = None


class LoadFailed(Exception):
    """A request was not answered as it must be; the message says by whom and how."""


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of ``values`` that at least ``share`` of them do not exceed (the nearest rank)."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


class Clients:
    """What the connections of one group share: what is asked next, and what came back.

    ``seen`` holds a row for each answer: when it ended, seconds it took, seconds to its first event, its reason.
    """

    def __init__(self, *, group: Group, job: Job, fail: Callable[[str], None]) -> None:
        self.stream = group.stream
        self.stopped = False
        self.seen: list[tuple[float, float, float, str]] = []
        self.fail = fail
        self._indices = iter([]) if group.repeat else count(group.first)
        self._first = group.first
        self._prompts = Prompts()
        self._head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{job.port}\r\nauthorization: Bearer {job.key}\r\n"
            "content-type: application/json\r\ncontent-length: %d\r\n\r\n"
        )
        stream = ',"stream":true' if group.stream else ""
        self._starts = [
            f'{{"model":"{model}"{stream},"temperature":0.2,"messages":[{{"role":"user","content":"'
            for model in group.models
        ]

    def request(self) -> bytes:
        """The next request."""
        index = next(self._indices, self._first)
        body = self._starts[index % len(self._starts)] + self._prompts.text(index) + '"}]}'
        return (self._head % len(body) + body).encode()

    def connection(self) -> Connection:
        """A connection more."""
        return Connection(clients=self)

    def figures(self, *, since: float, until: float) -> Figures:
        """Over the answers that ended between two times. Raises :class:`LoadFailed` where there are none."""
        rows = [row for row in self.seen if since <= row[0] < until]
        if not rows:
            raise LoadFailed(f"no answer within {until - since:g} s")
        by_reason: dict[str, list[float]] = {}
        for _, took, _, reason in rows:
            by_reason.setdefault(reason, []).append(took * 1e3)
        latencies = [took * 1e3 for _, took, _, _ in rows]
        return Figures(
            rps=len(rows) / (until - since),
            p50_ms=percentile(latencies, 0.5),
            p99_ms=percentile(latencies, 0.99),
            ttft_ms=percentile([row[2] * 1e3 for row in rows], 0.5) if self.stream else None,
            reasons={
                reason: Share(requests=len(all_), p50_ms=percentile(all_, 0.5), p99_ms=percentile(all_, 0.99))
                for reason, all_ in by_reason.items()
            },
        )


class Connection(asyncio.Protocol):
    """One client: sends a request, waits for the whole answer, sends the next."""

    def __init__(self, *, clients: Clients) -> None:
        self.closed = asyncio.get_running_loop().create_future()
        self._clients = clients
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._body = b""
        self._reason = ""
        self._sent = 0.0
        self._first: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Only we may close it, and only at the end."""
        if not self._clients.stopped:
            self._clients.fail(f"the connection was closed: {exc or 'end of file'}")
        self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._clients.fail(f"not HTTP: {error.__context__ or error}")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep how the request was routed."""
        if name == b"x-polyculture-reason":
            self._reason = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """A part of the body is there: note when the first event was whole enough to read."""
        self._body += body
        if self._first is None and b"data: {" in self._body:
            self._first = perf_counter()

    def on_message_complete(self) -> None:
        """The answer is whole: check it, keep its latency, ask the next."""
        now = perf_counter()
        try:
            check(self._parser.get_status_code(), self._body, stream=self._clients.stream)
        except WrongAnswer as error:
            self._clients.fail(str(error))
            return
        row = (now, now - self._sent, (self._first or now) - self._sent, self._reason)
        self._clients.seen.append(row)
        if self._clients.stopped:
            self.close()
        else:
            self._ask()

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def _ask(self) -> None:
        self._body = b""
        self._reason = ""
        self._first = None
        request = self._clients.request()
        self._sent = perf_counter()
        self._transport.write(request)


async def run(job: Job) -> Outcome:
    """Do a job. Raises :class:`LoadFailed` at the first answer that is not right, OSError without a server."""
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()

    def fail(message: str) -> None:
        if not failed.done():
            failed.set_exception(LoadFailed(message))

    loop.set_exception_handler(lambda _, context: fail(str(context.get("exception") or context["message"])))
    groups = {name: Clients(group=group, job=job, fail=fail) for name, group in job.groups.items()}
    connections: list[Connection] = []
    started = perf_counter()
    try:
        for name, clients in groups.items():
            for _ in range(job.groups[name].connections):
                _, connection = await loop.create_connection(clients.connection, "127.0.0.1", job.port)
                connections.append(connection)
        await asyncio.wait({failed}, timeout=job.warm_up_s + job.seconds)
        for clients in groups.values():
            clients.stopped = True
        everything = asyncio.gather(*(connection.closed for connection in connections))
        ends: set[asyncio.Future[Any]] = {failed, everything}
        await asyncio.wait(ends, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            failed.result()
        if not everything.done():
            raise LoadFailed(f"an answer was still missing {PATIENCE_S:g} s after the load ended")
    finally:
        for connection in connections:
            connection.close()
    since = started + job.warm_up_s
    return Outcome(
        figures={name: c.figures(since=since, until=since + job.seconds) for name, c in groups.items()},
        answered=sum(len(clients.seen) for clients in groups.values()),
    )


def main() -> None:
    """Do the jobs that come in, one after the other, until standard input ends."""
    import uvloop

    for line in sys.stdin:
        try:
            outcome = uvloop.run(run(msgspec.json.decode(line, type=Job)))
        except (LoadFailed, OSError) as error:
            outcome = Outcome(error=f"{type(error).__name__}: {error}")
        print(msgspec.json.encode(outcome).decode(), flush=True)


if __name__ == "__main__":
    main()
