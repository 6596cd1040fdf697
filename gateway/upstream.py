"""Who answers: the chosen model, or the next one of the router's ranking, until the first byte is here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

from gateway.asking import Asker, Opened
from gateway.configured import Configured
from gateway.eligibility import refusal
from gateway.errors import BadRequest, GatewayError, RateLimited, UpstreamFailed, UpstreamRefused
from gateway.registry import Model
from gateway.request import Reading
from gateway.routing import Choice

#: The wait before a retry is drawn from nothing to this, and to twice as much before each further one, in seconds
#: ("full jitter": M. Brooker, Exponential Backoff And Jitter, 2015).
BACKOFF_S = 0.2


class Upstreams:
    """The way to an answer. ``jitter`` gives uniform numbers in [0, 1).

    The configuration's ``retries`` are further rounds through models that failed without being slow or at their limit.
    A model that has not begun to answer after its ``hedge_after_s`` gets the next one as a rival, and the first to
    begin answers.
    """

    def __init__(
        self,
        *,
        asker: Asker,
        configured: Configured,
        jitter: Callable[[], float],
        on_failure: Callable[[str, str], None] = lambda model, kind: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._asker = asker
        self._configured = configured
        self._jitter = jitter
        self._on_failure = on_failure
        self._sleep = sleep

    def by(self, asker: Asker) -> Upstreams:
        """The same way, with another one who asks."""
        return Upstreams(
            asker=asker,
            configured=self._configured,
            jitter=self._jitter,
            on_failure=self._on_failure,
            sleep=self._sleep,
        )

    async def answer(self, choice: Choice, reading: Reading, body: bytes, *, tried: list[Model]) -> Opened:
        """The first answer that begins. Raises the last model's :class:`GatewayError`.

        ``tried`` is given every model that failed, then the one that answered.
        """
        ranking = [choice.model]
        error: GatewayError = UpstreamFailed("No model was asked.")
        try:
            for attempt in range(1 + self._configured.routing.retries):
                if attempt:
                    await self._sleep(self._jitter() * BACKOFF_S * 2 ** (attempt - 1))
                models = _in_turn(choice, ranking) if attempt == 0 else iter(ranking)
                again: list[Model] = []
                for model in models:
                    try:
                        return await self._try(model, models, reading, body, tried)
                    except (BadRequest, UpstreamRefused):
                        raise  # the request itself is at fault, or cannot be passed on
                    except GatewayError as failure:
                        error = failure
                        if isinstance(failure, UpstreamFailed) and model.breaker.closed:
                            again.append(model)
                ranking = again
                if not ranking:
                    break
            raise error
        finally:
            del error  # its traceback holds this frame, and so what the request read: megabytes, until a collection

    async def _try(
        self, model: Model, rivals: Iterator[Model], reading: Reading, body: bytes, tried: list[Model]
    ) -> Opened:
        if self._configured.routing.hedge_after_s is None:
            return await self._ask(model, reading, body, tried)
        return (await self._race(model, rivals, reading, body, tried)).result()

    async def _race(
        self, model: Model, rivals: Iterator[Model], reading: Reading, body: bytes, tried: list[Model]
    ) -> asyncio.Future[Opened]:
        """The first of several that begins to answer, or the last one if none does; each further one starts while those
        before it are silent.
        """
        tasks = [asyncio.ensure_future(self._ask(model, reading, body, tried))]
        winner: asyncio.Future[Opened] | None = None
        patience = self._configured.routing.hedge_after_s
        try:
            while winner is None:
                running = [task for task in tasks if not task.done()]
                done, _ = await asyncio.wait(running, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    rival = next(rivals, None)
                    if rival is None:
                        patience = None
                    else:
                        tasks.append(asyncio.ensure_future(self._ask(rival, reading, body, tried)))
                winner = next((task for task in done if task.exception() is None), None)
                if winner is None and all(task.done() for task in tasks):
                    winner = tasks[-1]
            return winner
        finally:
            for task in tasks:
                if task is not winner:
                    await _called_off(task)

    async def _ask(self, model: Model, reading: Reading, body: bytes, tried: list[Model]) -> Opened:
        """One model's answer; its health is kept, and who failed is remembered."""
        _free(model)
        model.began()
        try:
            opened = await self._asker.ask(model, reading, body)
        except BaseException as error:
            model.ended()
            if isinstance(error, BadRequest | asyncio.CancelledError):
                model.breaker.left()
                raise
            tried.append(model)
            if isinstance(error, UpstreamRefused):
                model.breaker.succeeded()
            elif isinstance(error, GatewayError):
                self._failed(model, error)
            raise
        tried.append(model)
        model.breaker.succeeded()
        return opened

    def _failed(self, model: Model, error: GatewayError) -> None:
        self._on_failure(model.id, type(error).__name__)
        if isinstance(error, RateLimited):
            model.breaker.left()
        else:
            model.breaker.failed()


def _free(model: Model) -> None:
    """Raises :class:`Unavailable` where the model's server rests or is full: because the client named it, or by now."""
    if not model.breaker.closed:
        raise refusal("resting after failures", who=f"The model {model.id!r}")
    if model.full:
        raise refusal("at its concurrency limit", who=f"The model {model.id!r}")


async def _called_off(task: asyncio.Future[Opened]) -> None:
    """A rival that lost: what it has begun is given up."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            opened = task.result()
            await opened.response.aclose()
            opened.model.ended()


def _in_turn(choice: Choice, ranking: list[Model]) -> Iterator[Model]:
    """The chosen model, then those to fall back on, which are looked up only once they are needed."""
    yield choice.model
    for model in choice.fallbacks():
        ranking.append(model)
        yield model
