"""What litellm's own list says of a model: price, windows, abilities. The list is read as a file, nothing imported."""

from __future__ import annotations

from importlib import util
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from gateway.config import Endpoint, Modality, Price
from gateway.config.cards import MOST_TOKENS

#: Where the list is in litellm's package.
FILE = "model_prices_and_context_window_backup.json"

#: What a model of each of the list's kinds does here; the others it cannot serve.
_ENDPOINTS: dict[str, Endpoint] = {
    "chat": "chat",
    "responses": "chat",
    "completion": "chat",
    "embedding": "embeddings",
    "moderation": "moderations",
    "audio_transcription": "audio",
    "audio_speech": "audio",
}


Cost = Annotated[float, msgspec.Meta(ge=0, le=1)]
Tokens = Annotated[int, msgspec.Meta(ge=0, le=MOST_TOKENS)]


class Row(msgspec.Struct):
    """One model's facts, as far as they are read; costs are in USD."""

    mode: str
    litellm_provider: str
    input_cost_per_token: Cost | None = None
    cache_read_input_token_cost: Cost | None = None
    output_cost_per_token: Cost | None = None
    max_tokens: Tokens | None = None
    max_input_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    supports_function_calling: bool | None = None
    supports_response_schema: bool | None = None
    supports_vision: bool | None = None
    supports_audio_input: bool | None = None


class Suggestion(NamedTuple):
    """Fields of a model's card; ``None`` where the list is silent."""

    endpoint: Endpoint
    price: Price | None
    context_window: int | None
    max_output_tokens: int | None
    modalities: frozenset[Modality]
    tools: bool
    json_mode: bool

    def fields(self) -> dict[str, Any]:
        """What is known, by the card's names."""
        return {name: value for name, value in self._asdict().items() if value is not None}


def suggest(model: str, *, file: Path | None = None) -> Suggestion | None:
    """What the list says of ``model``, named as litellm names it (``anthropic/claude-sonnet-4-5``).

    ``None`` where it says nothing, or where litellm is not installed; ``file`` is another list to read.
    """
    file = file or _installed()
    if file is None:
        return None
    rows = msgspec.json.decode(file.read_bytes(), type=dict[str, msgspec.Raw])
    provider, _, rest = model.partition("/")
    row = _row(rows, model) or _row(rows, rest, of=provider)
    return _suggestion(row) if row is not None else None


def _installed() -> Path | None:
    """The list of the litellm that is installed."""
    found = util.find_spec("litellm")
    places = (found.submodule_search_locations or ()) if found is not None else ()
    return next((file for place in places if (file := Path(place) / FILE).is_file()), None)


def _row(rows: dict[str, msgspec.Raw], name: str, *, of: str = "") -> Row | None:
    """The row of that name, if it is one, of a provider whose name begins with ``of``."""
    try:
        row = msgspec.json.decode(rows.get(name, b""), type=Row, strict=False)
    except msgspec.DecodeError:
        return None
    return row if row.litellm_provider.startswith(of) else None


def _suggestion(row: Row) -> Suggestion | None:
    endpoint = _ENDPOINTS.get(row.mode)
    if endpoint is None:
        return None
    costs = {
        "input": row.input_cost_per_token,
        "output": row.output_cost_per_token,
        "cached_input": row.cache_read_input_token_cost,
    }
    per_million = {side: float(f"{cost * 1e6:.10g}") for side, cost in costs.items() if cost is not None}
    extra: dict[Modality, bool | None] = {"image": row.supports_vision, "audio": row.supports_audio_input}
    return Suggestion(
        endpoint=endpoint,
        price=Price(**per_million) if per_million else None,
        context_window=row.max_input_tokens or row.max_tokens or None,
        max_output_tokens=row.max_output_tokens or None,
        modalities=frozenset({"text", *(name for name, supported in extra.items() if supported)}),
        tools=bool(row.supports_function_calling),
        json_mode=bool(row.supports_response_schema),
    )
