"""The way of a request, on one page: in, who, what, which model, ask it, pass the answer on, remember."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping

import structlog

from gateway import privacy
from gateway.admission import Admission
from gateway.asking import Opened, cut_short, unbroken
from gateway.configured import Configured
from gateway.conversations import Conversations
from gateway.corrections.keeper import Keeper
from gateway.dialects.dialect import Dialect, Speech
from gateway.disconnect import Watch
from gateway.errors import BadRequest, GatewayError, Internal, Unavailable, UpstreamFailed
from gateway.exchange import CLIENT_GONE, Exchange
from gateway.governance.prompts import Prompts
from gateway.http import ClientGone, Header, Receive, Scope, Send, read_body, respond
from gateway.keys import KeyRing
from gateway.limits.limiter import Limiter
from gateway.log import Log
from gateway.metrics import Metrics
from gateway.outcomes import Witness
from gateway.relay import DONE, EventSplitter, payload
from gateway.relay import read_body as read_answer
from gateway.routing import NO_WISHES, Router, Wishes
from gateway.upstream import Upstreams

_logger = structlog.get_logger("polyculture.completions")
_JSON = (b"content-type", b"application/json")

#: Headers that name a request's session, ours first, then those that are usual elsewhere.
SESSIONS = (b"x-polyculture-session", b"x-session-id", b"x-conversation-id")

#: When a client that was cut off by a stop may try again, in seconds.
STOPPED_S = 5.0

_EXPLORE = {b"on": True, b"true": True, b"1": True, b"off": False, b"false": False, b"0": False}
_WISHES = frozenset({b"x-polyculture-tags", b"x-polyculture-explore", privacy.HEADER, *SESSIONS})
_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


class Completions:
    """An endpoint that routes; clients speak its ``dialect``."""

    def __init__(
        self,
        *,
        dialect: Dialect,
        keys: KeyRing,
        router: Router,
        upstreams: Upstreams,
        log: Log,
        prompts: Prompts,
        metrics: Metrics,
        admission: Admission,
        body_limit: int,
        limiter: Limiter,
        corrections: Mapping[str, Keeper],
        conversations: Conversations,
        configured: Configured,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._dialect = dialect
        self._keys = keys
        self._router = router
        self._upstreams = upstreams
        self._log = log
        self._prompts = prompts
        self._metrics = metrics
        self._admission = admission
        self._body_limit = body_limit
        self._limiter = limiter
        self._corrections = corrections
        self._conversations = conversations
        self._configured = configured
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; whatever goes wrong becomes an error in its API's shape."""
        exchange = Exchange(started=self._clock(), prefix=self._dialect.prefix)
        watch = Watch(receive=receive)
        try:
            async with self._admission:
                await self._serve(exchange, watch, scope, receive, send)
        except GatewayError as error:
            await self._fail(exchange, error, send)
        except ClientGone:
            exchange.status = CLIENT_GONE
        except asyncio.CancelledError:
            exchange.status = CLIENT_GONE
            if not watch.gone:  # the gateway stops, and has waited long enough: no model is to blame
                self._close(exchange)
                await self._fail(exchange, Unavailable("The gateway is being stopped.", retry_after_s=STOPPED_S), send)
        except Exception:
            _logger.exception("request_failed", decision=exchange.name)
            await self._fail(exchange, Internal("Something went wrong inside the gateway; its log has more."), send)
        finally:
            self._close(exchange)
            if exchange.lease is not None:
                exchange.lease.settle(0)  # where it had not come to a choice
            if exchange.opened is not None:
                exchange.opened.model.ended()
            self._metrics.requested(exchange, self._clock())

    async def _serve(self, exchange: Exchange, watch: Watch, scope: Scope, receive: Receive, send: Send) -> None:
        exchange.principal = principal = self._keys.authenticate(scope)
        body = await read_body(scope, receive, limit=self._body_limit)
        exchange.inquiry = inquiry = self._dialect.read(body)
        exchange.reading = reading = inquiry.reading
        exchange.wishes, body = wishes(scope, body), inquiry.body
        exchange.lease = lease = self._limiter.admit(principal, reading, size=len(body), anthropic=exchange.anthropic)
        if lease is not None:
            body = lease.bounded(reading, body)
            if lease.strained:
                exchange.wishes = exchange.wishes._replace(instead=lease.soft_model)
        choice = await self._router.route(reading, principal, exchange.wishes)
        keeper = self._corrections.get(principal.tenant)
        if keeper is not None:
            choice, body = keeper.told(choice, reading, body)
        exchange.choice = choice
        exchange.durable = self._log.append(choice.decision, tenant=principal.tenant, subject=exchange.id)
        self._prompts.keep(principal.tenant, exchange.id, reading.text)
        with watch:
            exchange.asked = self._clock()
            exchange.opened = opened = await self._upstreams.answer(choice, reading, body, tried=exchange.tried)
            exchange.answered = self._clock()
            if reading.stream:
                await self._relay_stream(exchange, opened, send)
            else:
                await self._relay_whole(exchange, opened, send)

    async def _relay_whole(self, exchange: Exchange, opened: Opened, send: Send) -> None:
        assert exchange.inquiry is not None
        exchange.count(opened.body)
        data = exchange.inquiry.answer(opened.data, exchange.completion_id)
        exchange.status = 200
        self._close(exchange)
        await self._durable(exchange)
        exchange.begun = True
        await respond(send, status=200, headers=[_JSON, *exchange.headers(now=self._clock())], body=data)

    async def _relay_stream(self, exchange: Exchange, opened: Opened, send: Send) -> None:
        """Pass events on as they come; the last waits until the decision is durable."""
        assert exchange.inquiry is not None
        exchange.witness = witness = self._witness(exchange)
        speech = exchange.inquiry.speech(exchange.completion_id)
        async with opened.response:
            headers: list[Header] = [*_STREAM, *exchange.headers(now=self._clock())]
            exchange.begun = True
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async for found in self._events(opened):
                if (data := payload(found)) == DONE:
                    told = await self._ended(exchange, speech, found)
                else:
                    told = self._heard(exchange, witness, speech, found, data)
                if told:
                    await send({"type": "http.response.body", "body": told, "more_body": True})
            if not (exchange.closed or witness.finished):
                raise cut_short(opened.model, "before its answer was finished")
        last = b"" if exchange.closed else await self._ended(exchange, speech, b"")
        await send({"type": "http.response.body", "body": last})

    async def _events(self, opened: Opened) -> AsyncIterator[bytes]:
        """The upstream's events. Raises :class:`GatewayError` when they break off."""
        splitter = EventSplitter()
        with unbroken(opened.model):
            for found in splitter.feed(opened.data):
                yield found
            async for chunk in opened.response.chunks():
                for found in splitter.feed(chunk):
                    yield found
        if splitter.end().strip():
            raise cut_short(opened.model, "in the middle of an event")

    def _heard(self, exchange: Exchange, witness: Witness, speech: Speech, found: bytes, data: bytes) -> bytes:
        """What the client hears for one event."""
        if data:
            body = read_answer(data)
            if body.error is not None:
                raise UpstreamFailed("The upstream reported an error in the middle of its answer.")
            witness.see(body.choices)
            exchange.count(body)
        return speech.said(found, data)

    async def _ended(self, exchange: Exchange, speech: Speech, found: bytes) -> bytes:
        """What ends a stream, said once its decision is durable."""
        told = speech.done(found)
        exchange.status = 200
        self._close(exchange)
        await self._durable(exchange)
        return told

    async def _durable(self, exchange: Exchange) -> None:
        """A client never holds a finished response whose decision is not on disk, while the disk works."""
        assert exchange.durable is not None
        if not await exchange.durable:
            self._metrics.undurable.inc()

    async def _fail(self, exchange: Exchange, error: GatewayError, send: Send) -> None:
        exchange.status = error.http_status
        self._close(exchange)
        if exchange.durable is not None:
            await self._durable(exchange)
        if not exchange.begun:
            headers = [*error.headers(), *exchange.headers(now=self._clock())]
            await respond(send, status=error.http_status, headers=headers, body=self._dialect.error(error))
            return
        await send({"type": "http.response.body", "body": self._dialect.broken(error), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _witness(self, exchange: Exchange) -> Witness:
        assert exchange.reading is not None
        return Witness(reading=exchange.reading, latency_objective_s=self._configured.routing.latency_objective_s)

    def _close(self, exchange: Exchange) -> None:
        """Log how it ended, once, and what the answer's form says of its quality."""
        reading = exchange.reading
        if exchange.closed or exchange.choice is None or exchange.principal is None or reading is None:
            return
        exchange.closed = True
        now = self._clock()
        if (witness := exchange.witness) is None:
            exchange.witness = witness = self._witness(exchange)
            witness.see(exchange.opened.body.choices if exchange.opened else None)
        answer = exchange.answer(now=now)
        self._limiter.settle(exchange.principal, exchange.lease, answer)
        waited = bool(exchange.passed_over) or (exchange.lease is not None and exchange.lease.budgeted)
        tenant = exchange.principal.tenant
        future = self._log.append(answer, tenant=tenant, subject=exchange.id, lazy=not waited)
        if waited:
            exchange.durable = future  # feedback must know who answered, and a budget what that cost
        for arm in answer.failed:
            self._blame(exchange, arm, "error")
        failed = exchange.status >= 500 or exchange.status == 429
        if exchange.status == 200:
            self._conversations.answered(
                exchange.principal, reading, exchange.wishes.session, model=answer.answered, tokens=exchange.context
            )
        elif not (failed and exchange.tried):
            return  # the client's own fault, or the client left, or nobody was asked: no model is to blame
        verdict = witness.verdict(failed=failed, latency_s=now - exchange.started)
        if verdict is not None:
            self._blame(exchange, answer.answered, verdict)

    def _blame(self, exchange: Exchange, arm: str, verdict: str) -> None:
        assert exchange.principal is not None
        self._metrics.implicit.labels(verdict).inc()
        self._log.append(
            exchange.implicit(arm),
            tenant=exchange.principal.tenant,
            subject=exchange.id,
            source=f"implicit:{verdict}:{arm}",
            lazy=True,
        )


def wishes(scope: Scope, body: bytes) -> Wishes:
    """What the request's headers ask of routing: ``x-polyculture-tags``, ``x-polyculture-explore: off``, a session;
    and whether it is private.
    """
    found = {name: value for name, value in scope["headers"] if name in _WISHES}
    if not found and privacy.MARK not in body:
        return NO_WISHES
    names = found.get(b"x-polyculture-tags", b"").decode("latin-1").split(",")
    return Wishes(
        tags=frozenset(tag for name in names if (tag := name.strip())),
        explore=_explores(found.get(b"x-polyculture-explore", b"on")),
        session=next((found[name] for name in SESSIONS if name in found), b""),
        private=privacy.private(scope, body),
    )


def _explores(said: bytes) -> bool:
    """Whether the request may be explored. Raises :class:`BadRequest`."""
    word = said.strip().lower()
    if word not in _EXPLORE:
        raise BadRequest("The header x-polyculture-explore is either 'on' or 'off'.", param="x-polyculture-explore")
    return _EXPLORE[word]
