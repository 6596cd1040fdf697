"""The live models: each card with its way to its upstream and its health."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gateway.breaker import Breaker
from gateway.config import ConfigurationError, ModelCard
from gateway.secrets import named_secret
from gateway.transport import Origin, Timeouts


class Model:
    """A registered model. ``headers`` carry the upstream's own key, never the client's."""

    def __init__(self, *, card: ModelCard, clock: Callable[[], float]) -> None:
        self.card = card
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
        self.breaker = Breaker(clock=clock, probed=self.origin is not None)
        self.under_way = 0
        self.semantics = hashlib.sha256(json.dumps(card.semantics()).encode()).hexdigest()

    @property
    def full(self) -> bool:
        """Whether as many requests as its server takes are under way."""
        limit = self.card.upstream.concurrency
        return limit is not None and self.under_way >= limit

    def began(self) -> None:
        """A request goes to its server."""
        self.under_way += 1
        self.breaker.asked()

    def ended(self) -> None:
        """A request has left its server."""
        self.under_way -= 1

    def cost(self, *, input_tokens: int, output_tokens: int) -> float:
        """The price of an answer, in USD."""
        price = self.card.price
        return (price.input * input_tokens + price.output * output_tokens) / 1e6


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
            self.put(card)

    def put(self, card: ModelCard) -> None:
        """Add or replace a model."""
        self._models[card.id] = Model(card=card, clock=self._clock)
        self.revision += 1

    def get(self, name: str) -> Model | None:
        """The model of that id."""
        return self._models.get(name)

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def __len__(self) -> int:
        return len(self._models)
