"""The live models: each card with its way to its upstream and its health."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gateway.breaker import Breaker
from gateway.config import ConfigurationError, ModelCard
from gateway.models.standing import ACTIVE, DISABLED, Standing
from gateway.secrets import named_secret
from gateway.transport import Origin, Timeouts


class Load:
    """How many requests are under way at a server."""

    __slots__ = ("under_way",)

    def __init__(self) -> None:
        self.under_way = 0


class Model:
    """A registered model. ``headers`` carry the upstream's own key, never the client's.

    One that takes the place of another at the same server keeps its health, and counts what is under way there.
    Raises :class:`ConfigurationError` where its server's address or its secret cannot be used.
    """

    def __init__(
        self,
        *,
        card: ModelCard,
        clock: Callable[[], float],
        standing: Standing = ACTIVE,
        before: Model | None = None,
    ) -> None:
        self.card = card
        self.standing = standing if card.enabled else DISABLED
        self.id = card.id
        self.origin = None if card.upstream.kind == "litellm" else _origin(card)
        self.timeouts = Timeouts(
            connect=card.upstream.connect_timeout_s,
            first_byte=card.upstream.first_byte_timeout_s,
            idle=card.upstream.idle_timeout_s,
            total=card.upstream.total_timeout_s,
        )
        self.headers = [(b"content-type", b"application/json"), (b"accept", b"*/*")]
        secret = named_secret(
            owner=f"model {card.id}", variable=card.upstream.api_key_env, file=card.upstream.api_key_file
        )
        if secret is not None:
            self.headers.append((b"authorization", b"Bearer " + secret.encode()))
        self.provider_arguments: dict[str, Any] = {
            **card.upstream.options,
            "model": card.upstream.model,
            "api_key": secret,
            "api_base": None if card.upstream.base_url is None else str(card.upstream.base_url).rstrip("/"),
        }
        same = before if before is not None and _server(before.card) == _server(card) else None
        self.breaker: Breaker = Breaker(clock=clock, probed=self.origin is not None) if same is None else same.breaker
        self.load: Load = Load() if same is None else same.load
        self.semantics = hashlib.sha256(json.dumps(card.semantics()).encode()).hexdigest()

    @property
    def under_way(self) -> int:
        """Requests that its server is answering."""
        return self.load.under_way

    @property
    def full(self) -> bool:
        """Whether as many requests as its server takes are under way."""
        limit = self.card.upstream.concurrency
        return limit is not None and self.load.under_way >= limit

    def began(self) -> None:
        """A request goes to its server."""
        self.load.under_way += 1
        self.breaker.asked()

    def ended(self) -> None:
        """A request has left its server."""
        self.load.under_way -= 1

    def discreet(self, text: str) -> str:
        """What its server said, without the server's key, should it repeat that."""
        secret = self.provider_arguments["api_key"]
        return text.replace(secret, "***") if secret else text

    def cost(self, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float:
        """The price of an answer, in USD; so many of the input tokens had been read before."""
        price = self.card.price
        return (price.input * input_tokens + price.output * output_tokens - price.saving * cached_tokens) / 1e6


def _server(card: ModelCard) -> tuple[object, ...]:
    """What makes a model's server the same one."""
    return card.upstream.kind, card.upstream.base_url, card.upstream.model


def _origin(card: ModelCard) -> Origin:
    try:
        return Origin(str(card.upstream.base_url))
    except ValueError as error:
        raise ConfigurationError(f"model {card.id}: {error}") from error


class Registry:
    """All models by id, in the order they were declared."""

    def __init__(self, *, cards: Iterable[ModelCard] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._models: dict[str, Model] = {}
        self.revision = 0
        for card in cards:
            self.put(self.made(card))

    def made(self, card: ModelCard, standing: Standing = ACTIVE) -> Model:
        """A model that may take the place of the one with its id. Raises :class:`ConfigurationError`."""
        return Model(card=card, clock=self._clock, standing=standing, before=self.get(card.id))

    def put(self, model: Model) -> None:
        """Add or replace a model; requests under way go on as they began."""
        self._models[model.id] = model
        self.revision += 1

    def remove(self, name: str) -> None:
        """Take a model out; requests under way go on as they began."""
        del self._models[name]
        self.revision += 1

    def arrange(self, models: Iterable[Model]) -> None:
        """Let these be all models, in this order."""
        self._models = {model.id: model for model in models}
        self.revision += 1

    def get(self, name: str) -> Model | None:
        """The model of that id."""
        return self._models.get(name)

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def __len__(self) -> int:
        return len(self._models)
