"""Model cards: who there is, where each is reached, what it can do and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, HttpUrl, field_serializer, model_validator

from gateway.config.section import Section


def _not_auto(name: str) -> str:
    if name == "auto" or name.startswith("auto:"):
        raise ValueError("'auto' asks the gateway to choose: no model may be called so")
    return name


SECRETS: Final = ("key", "secret", "token", "password")
"""Words that tell a secret among the options of litellm."""


def _not_secret(name: str) -> str:
    if any(word in name.lower() for word in SECRETS):
        raise ValueError("no secret belongs here: api_key_env names the variable that holds one")
    return name


ModelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$"), AfterValidator(_not_auto)]
Modality = Literal["text", "image", "audio"]
Endpoint = Literal["chat", "embeddings", "moderations", "audio"]

MOST_USD: Final = 1e6
"""Highest price of a million tokens that is taken for one."""

MOST_TOKENS: Final = 10**9
"""Longest window that is taken for one, and most tokens of an answer that a server is believed to have counted."""

LONGEST_S: Final = 1e9
"""Longest wait that is taken for one, in seconds: thirty years."""


class Upstream(Section):
    """Where a model is served."""

    base_url: HttpUrl | None = Field(None, description="The server's OpenAI base, usually ending in /v1.")
    model: str = Field(description="The model's name at that server; for litellm with its provider.", min_length=1)
    kind: Literal["openai", "litellm"] = Field("openai", description="How it is reached: OpenAI's protocol, litellm.")
    api_key_env: str | None = Field(None, description="The environment variable that holds the server's key.")
    api_key_file: Path | None = Field(None, description="The file that holds the server's key.")
    options: dict[Annotated[str, AfterValidator(_not_secret)], str | int | float | bool] = Field(
        default_factory=dict, description="What litellm must know besides, such as api_version or aws_region_name."
    )
    concurrency: int | None = Field(
        None, gt=0, description="Most requests under way there at once; no limit if left out."
    )
    connect_timeout_s: float = Field(5.0, gt=0, le=LONGEST_S, description="Longest wait for a connection, in seconds.")
    first_byte_timeout_s: float = Field(
        60.0, gt=0, le=LONGEST_S, description="Longest wait for an answer to begin, in seconds."
    )
    idle_timeout_s: float = Field(60.0, gt=0, le=LONGEST_S, description="Longest silence within an answer, in seconds.")
    total_timeout_s: float | None = Field(None, gt=0, le=LONGEST_S, description="Longest whole answer, in seconds.")

    @model_validator(mode="after")
    def _reachable(self) -> Upstream:
        if self.kind == "openai" and self.base_url is None:
            raise ValueError("a server that speaks OpenAI's protocol needs its base_url")
        if self.kind == "openai" and self.options:
            raise ValueError("options are for kind litellm alone")
        return self


class Price(Section):
    """USD per million tokens."""

    input: float = Field(0.0, ge=0, le=MOST_USD, description="USD per million tokens of prompt.")
    output: float = Field(0.0, ge=0, le=MOST_USD, description="USD per million tokens of answer.")
    cached_input: float | None = Field(
        None,
        ge=0,
        le=MOST_USD,
        description="The same for prompt that the server has read just before; as `input` if left out.",
    )

    @property
    def saving(self) -> float:
        """USD saved per million tokens of prompt that the server has read just before."""
        return 0.0 if self.cached_input is None else max(0.0, self.input - self.cached_input)


class ModelCard(Section):
    """One specialist: what it is good at, what it can take, what it costs."""

    id: ModelId = Field(description="The name that clients use to force this model.")
    upstream: Upstream = Field(description="Where it is served.")
    endpoint: Endpoint = Field("chat", description="What it does: chat, embeddings; by its name: moderations, audio.")
    description: str = Field("", description="What it is good at, in plain words: the router's first guess.")
    skills: tuple[str, ...] = Field((), description="Short names of skills, read like the description.")
    languages: tuple[str, ...] = Field((), description="Natural languages it handles; informative.")
    examples: tuple[str, ...] = Field((), description="Example prompts that it should get.")
    context_window: int = Field(8192, gt=0, le=MOST_TOKENS, description="Tokens of prompt and answer together.")
    max_output_tokens: int | None = Field(None, gt=0, le=MOST_TOKENS, description="Longest answer in tokens.")
    modalities: frozenset[Modality] = Field(frozenset({"text"}), description="What messages may hold.")
    tools: bool = Field(False, description="Whether it takes tool definitions.")
    json_mode: bool = Field(False, description="Whether it takes response_format.")
    price: Price = Field(Price(), description="What it costs.")
    tags: frozenset[str] = Field(frozenset(), description="Free labels; a request may ask for some of them.")
    region: str | None = Field(None, description="Where it runs, for people; tags are what requests ask for.")
    private: bool = Field(False, description="Whether private requests may go to it; they go to no other model.")
    license: str | None = Field(None, description="The model's licence, for people.")
    enabled: bool = Field(True, description="Whether it takes requests.")

    @model_validator(mode="after")
    def _passed_on(self) -> ModelCard:
        if self.upstream.kind == "litellm" and self.endpoint in ("moderations", "audio"):
            raise ValueError(f"{self.endpoint} are passed on to servers that speak OpenAI's protocol, not by litellm")
        return self

    @field_serializer("modalities", "tags", when_used="json")
    def _in_order(self, labels: frozenset[str]) -> list[str]:
        return sorted(labels)

    def semantics(self) -> list[str]:
        """The texts that tell what the model is good at, each a sentence or an example."""
        sentences = [part.strip() for part in self.description.replace("\n", ". ").split(". ") if part.strip()]
        return [*sentences, *self.skills, *self.examples]


class Override(Section):
    """Parts of a card that came from elsewhere (a built-in specialist), said anew."""

    description: str | None = Field(None, description="A description in place of the card's own.")
    skills: tuple[str, ...] | None = Field(None, description="Skills in place of the card's own.")
    examples: tuple[str, ...] | None = Field(None, description="Example prompts in place of the card's own.")
    price: Price | None = Field(None, description="A price in place of the card's own.")
    tags: frozenset[str] | None = Field(None, description="Tags in place of the card's own.")
    private: bool | None = Field(None, description="Whether private requests may go to it.")
    enabled: bool | None = Field(None, description="Whether it takes requests.")

    def applied(self, card: ModelCard) -> ModelCard:
        """The card with what is said here in place of its own."""
        return card.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})
