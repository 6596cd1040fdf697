"""The configuration file: which models there are, how they are reached, and how requests are routed among them.

One YAML document, validated whole by one pydantic model; secrets are named (an environment variable or a file),
never written. ``polyculture init`` writes a first one; `docs` in README.md list every field.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, ValidationError, model_validator


def _not_auto(name: str) -> str:
    if name == "auto" or name.startswith("auto:"):
        raise ValueError("'auto' asks the gateway to choose: no model may be called so")
    return name


def _not_secret(name: str) -> str:
    if any(word in name.lower() for word in ("key", "secret", "token", "password")):
        raise ValueError("no secret belongs here: api_key_env names the variable that holds one")
    return name


ModelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$"), AfterValidator(_not_auto)]
Modality = Literal["text", "image", "audio"]
Endpoint = Literal["chat", "embeddings", "moderations", "audio"]


class ConfigurationError(ValueError):
    """The configuration cannot be used; the message says where and why."""


class Section(BaseModel):
    """A part of the file: unknown fields are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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
    connect_timeout_s: float = Field(5.0, gt=0, description="Longest wait for a connection, in seconds.")
    first_byte_timeout_s: float = Field(60.0, gt=0, description="Longest wait for an answer to begin, in seconds.")
    idle_timeout_s: float = Field(60.0, gt=0, description="Longest silence within an answer, in seconds.")
    total_timeout_s: float | None = Field(None, gt=0, description="Longest whole answer, in seconds.")

    @model_validator(mode="after")
    def _reachable(self) -> Upstream:
        if self.kind == "openai" and self.base_url is None:
            raise ValueError("a server that speaks OpenAI's protocol needs its base_url")
        if self.kind == "openai" and self.options:
            raise ValueError("options are for kind litellm alone")
        return self


class Price(Section):
    """USD per million tokens."""

    input: float = Field(0.0, ge=0, description="USD per million tokens of prompt.")
    output: float = Field(0.0, ge=0, description="USD per million tokens of answer.")


class ModelCard(Section):
    """One specialist: what it is good at, what it can take, what it costs."""

    id: ModelId = Field(description="The name that clients use to force this model.")
    upstream: Upstream = Field(description="Where it is served.")
    endpoint: Endpoint = Field("chat", description="What it does: chat, embeddings; by its name: moderations, audio.")
    description: str = Field("", description="What it is good at, in plain words: the router's first guess.")
    skills: tuple[str, ...] = Field((), description="Short names of skills, read like the description.")
    languages: tuple[str, ...] = Field((), description="Natural languages it handles; informative.")
    examples: tuple[str, ...] = Field((), description="Example prompts that it should get.")
    context_window: int = Field(8192, gt=0, description="Tokens of prompt and answer together.")
    max_output_tokens: int | None = Field(None, gt=0, description="Longest answer in tokens.")
    modalities: frozenset[Modality] = Field(frozenset({"text"}), description="What messages may hold.")
    tools: bool = Field(False, description="Whether it takes tool definitions.")
    json_mode: bool = Field(False, description="Whether it takes response_format.")
    price: Price = Field(Price(), description="What it costs.")
    tags: frozenset[str] = Field(frozenset(), description="Free labels; a request may ask for some of them.")
    license: str | None = Field(None, description="The model's licence, for people.")
    enabled: bool = Field(True, description="Whether it takes requests.")

    @model_validator(mode="after")
    def _passed_on(self) -> ModelCard:
        if self.upstream.kind == "litellm" and self.endpoint in ("moderations", "audio"):
            raise ValueError(f"{self.endpoint} are passed on to servers that speak OpenAI's protocol, not by litellm")
        return self

    def semantics(self) -> list[str]:
        """The texts that tell what the model is good at, each a sentence or an example."""
        sentences = [part.strip() for part in self.description.replace("\n", ". ").split(". ") if part.strip()]
        return [*sentences, *self.skills, *self.examples]


class Preference(Section):
    """A named way of choosing, asked for as ``auto:<name>``."""

    cost_weight: float = Field(0.0, ge=0, description="Reward given up per USD of expected cost.")
    tags: frozenset[str] = Field(frozenset(), description="Only models that carry all of these tags.")
    explore: bool = Field(True, description="False: always the best score, off the exploration's path.")


class Gate(Section):
    """What a version of the router must show before it goes live, and afterwards."""

    mode: Literal["auto", "ope", "manual"] = Field(
        "auto",
        description="What goes live: all that is learned; what the log shows to be no worse; what is promoted.",
    )
    margin: float = Field(
        0.02, ge=0, lt=0.1, description="Reward by which a version may be worse and still pass for no worse."
    )
    control_share: float = Field(
        0.05,
        ge=0,
        le=0.3,
        description="Share of requests that the last trusted version keeps, to compare; 0: no trials.",
    )
    trial_share: float = Field(0.3, gt=0, le=0.5, description="The same while what was promoted or brought in is new.")
    trial_outcomes: int = Field(1000, ge=100, description="Outcomes after which a version is trusted.")

    @model_validator(mode="after")
    def _shares_fall(self) -> Gate:
        if self.trial_share < self.control_share:
            raise ValueError("trial_share must not be below control_share")
        return self


class Routing(Section):
    """How requests are spread over the eligible models."""

    policy: str = Field("polyculture", description="The learning policy's name.")
    preferences: dict[str, Preference] = Field(
        default_factory=lambda: {"quality": Preference(), "cheap": Preference(cost_weight=100.0)},
        description="What may follow `auto:` in a request's model.",
    )
    exploration: float = Field(0.01, ge=0, le=0.5, description="Probability mass spread evenly over eligible models.")
    share_cap: float | None = Field(0.6, gt=0, le=1, description="Largest share of routed requests a model may take.")
    budget: float | None = Field(None, gt=0, description="USD that a routed request may cost on average.")
    cost_weight: float = Field(0.0, ge=0, description="Reward given up per USD of expected cost, for auto.")
    latency_objective_s: float | None = Field(None, gt=0, description="An answer slower than this counts against it.")
    fallbacks: int = Field(2, ge=0, le=10, description="Other models tried when the chosen one fails.")
    retries: int = Field(1, ge=0, le=5, description="Further rounds through models that broke off or answered 5xx.")
    hedge_after_s: float | None = Field(
        None, gt=0, description="A model silent for so long gets a rival; off if left out."
    )
    gate: Gate = Field(Gate(), description="What goes live, and what may stay.")


class Metric(Section):
    """A declared feedback metric and its mapping to a reward: linear from ``worst`` (0) to ``best`` (1), clipped."""

    worst: float = Field(0.0, description="The value that stands for reward 0.")
    best: float = Field(1.0, description="The value that stands for reward 1.")

    @model_validator(mode="after")
    def _differ(self) -> Metric:
        if self.worst == self.best:
            raise ValueError("worst and best must differ")
        return self

    def reward(self, value: float) -> float:
        """The reward in [0, 1] that ``value`` stands for."""
        return min(1.0, max(0.0, (value - self.worst) / (self.best - self.worst)))


class Corrections(Section):
    """What is done with the corrections that come with feedback."""

    enabled: bool = Field(False, description="Keep corrections, and tell models the nearest ones with each request.")
    sources: tuple[str, ...] = Field(
        (),
        description="Whose are kept: keys, `key/user`, or `key/` for all users of a key; without any, the keys alone.",
    )
    most: int = Field(1000, gt=0, le=100_000, description="Corrections kept; the oldest leave first.")
    nearest: int = Field(3, gt=0, le=20, description="Corrections told with one request, at most.")
    similarity: float = Field(0.85, ge=0, le=1, description="How near a corrected request must be (cosine).")
    characters: int = Field(2000, gt=0, description="Characters of corrections told with one request, at most.")


class FeedbackTrust(Section):
    """Whose feedback counts, and how much."""

    trust: bool = Field(True, description="Whether end users' feedback is judged by how far it agrees with the rest.")
    judge_keys: bool = Field(False, description="Whether feedback without an end user, the key's own, is judged too.")
    dishonest_share: float = Field(0.2, gt=0, lt=0.5, description="First guess of the share of dishonest end users.")
    quarantine_below: float = Field(0.05, ge=0, lt=1, description="Honesty below which feedback is withheld.")
    probation: float = Field(1.0, ge=0, description="Outcomes after which an end user's feedback counts half.")
    per_hour: float = Field(600.0, gt=0, description="Outcomes an hour that an end user may give.")
    influence_cap: float = Field(0.25, gt=0, le=1, description="Largest part of a model's recent evidence from one.")
    known: int = Field(2048, gt=0, description="End users whose reliability is remembered, for each tenant.")


class Tenant(Section):
    """An organisation or team with its own keys and its own learned state."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="The tenant's name.")]
    key_env: str | None = Field(None, description="The environment variable that holds this tenant's API key.")
    models: tuple[ModelId, ...] | None = Field(None, description="The only models it may use; all when left out.")
    pool: Literal["none", "contribute", "consume", "both"] = Field(
        "none", description="Whether its outcomes teach the pool of all who contribute, and whether it begins by that."
    )
    retention_days: float | None = Field(
        None, gt=0, description="How long its events are kept, in place of the installation's own time."
    )
    store_prompts: bool = Field(
        False, description="Keep the text that routing reads of each prompt; otherwise none is stored."
    )
    corrections: Corrections = Field(Corrections(), description="What is done with its users' corrections.")

    @property
    def contributes(self) -> bool:
        """Whether its outcomes teach the pool."""
        return self.pool in ("contribute", "both")

    @property
    def consumes(self) -> bool:
        """Whether it begins by what the pool knows."""
        return self.pool in ("consume", "both")


class Override(Section):
    """Parts of a card that came from elsewhere (a built-in specialist), said anew."""

    description: str | None = Field(None, description="A description in place of the card's own.")
    skills: tuple[str, ...] | None = Field(None, description="Skills in place of the card's own.")
    examples: tuple[str, ...] | None = Field(None, description="Example prompts in place of the card's own.")
    price: Price | None = Field(None, description="A price in place of the card's own.")
    tags: frozenset[str] | None = Field(None, description="Tags in place of the card's own.")
    enabled: bool | None = Field(None, description="Whether it takes requests.")

    def applied(self, card: ModelCard) -> ModelCard:
        """The card with what is said here in place of its own."""
        return card.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


class Configuration(Section):
    """The whole file."""

    models: tuple[ModelCard, ...] = Field((), description="The model cards.")
    overrides: dict[ModelId, Override] = Field(
        default_factory=dict, description="Parts of a built-in specialist's card to change, by model id."
    )
    specialists: bool = Field(False, description="Start and register the built-in demo specialists.")
    routing: Routing = Field(Routing(), description="How requests are spread.")
    feedback: FeedbackTrust = Field(FeedbackTrust(), description="Whose feedback counts.")
    metrics: dict[str, Metric] = Field(default_factory=dict, description="Feedback metrics by name.")
    tenants: tuple[Tenant, ...] = Field(
        (), description="Organisations or teams with keys and a learned state of their own."
    )
    retention_days: float | None = Field(
        None, gt=0, description="How long events are kept; what was learned stays. For ever when left out."
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Configuration:
        for kind, names in (("model", [m.id for m in self.models]), ("tenant", [t.id for t in self.tenants])):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"two {kind}s share the id {twice[0]!r}")
        return self


def parse(document: Any, *, origin: str) -> Configuration:
    """Validate a parsed document. Raises :class:`ConfigurationError` naming every faulty field."""
    try:
        return Configuration.model_validate(document or {})
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'top level'}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{origin}: {faults}") from error


def load(path: Path) -> Configuration:
    """Read and validate a YAML file. Raises :class:`ConfigurationError`."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path}: cannot be read as YAML: {error}") from error
    return parse(document, origin=str(path))
