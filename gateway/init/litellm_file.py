"""A LiteLLM proxy's ``config.yaml`` as model cards.

Each entry whose provider speaks OpenAI's protocol becomes a card; the others, and the settings that have no
counterpart here, are named with the reason. A key that the file spells out is never copied: the card names an
environment variable in its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import ValidationError

from gateway.config import ConfigurationError, ModelCard
from gateway.init.hosted import Provider, providers
from gateway.init.litellm_schema import Deployment, Parameters
from gateway.init.source import Found, LeftOut, Source, collect, faults, model_id, numbered, take
from gateway.init.traits import describe, is_embedder

_USUAL_WINDOW = ModelCard.model_fields["context_window"].default
_FROM_ENVIRONMENT = "os.environ/"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_KEY = frozenset({"", "none", "null", "empty", "dummy", "fake", "fake-key", "not-needed", "no-key", "sk-no-key"})
_OPENAI_MODEL = re.compile(r"gpt-|chatgpt-|o\d|text-embedding-|ft:")
_OPENAI_PATHS = re.compile(r"/(chat/completions|completions|embeddings)/?$")
_ENDPOINTS: dict[str, Literal["chat", "embeddings"]] = {
    "chat": "chat",
    "completion": "chat",
    "embedding": "embeddings",
}
_INSTEAD = {
    "azure": "Azure's v1 endpoint does: add it by hand, with base_url https://<resource>.openai.azure.com/openai/v1",
    "anthropic": "Claude models can be had through a provider that does, such as OpenRouter",
}


def read(path: Path, *, environment: Mapping[str, str]) -> Source:
    """The models of the LiteLLM configuration at ``path``.

    Raises :class:`ConfigurationError` when the file is none. A faulty entry is left out and named.
    """
    document = _document(path)
    reader = Reader(environment=environment)
    results = [reader.model(entry) for entry in document["model_list"]]
    notes = ["Where it says nothing else, hosted models are taken to have tools and JSON mode."]
    if sections := [str(name) for name in document if name != "model_list"]:
        notes.append(f"Sections that were not taken over: {', '.join(sections)}.")
    return collect(f"LiteLLM's {path.name}", results, notes=notes)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("model_list"), list):
        raise ConfigurationError(f"{path}: has no `model_list` of models: is it the config.yaml of a LiteLLM proxy?")
    return document


class _Unsupported(Exception):
    """Why an entry cannot become a card, for people."""


class Reader:
    """Turns entries of one file into cards, one after another: repeated names and keys are recognised."""

    def __init__(self, *, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._variables: dict[str, str] = {}
        self._names: set[str] = set()

    def model(self, entry: Any) -> Found | LeftOut:
        """The entry's card, or why it has none."""
        try:
            deployment = Deployment.model_validate(entry)
        except ValidationError as error:
            name = entry.get("model_name") if isinstance(entry, dict) else None
            return LeftOut(name=name if isinstance(name, str) else "an entry without a name", reason=faults(error))
        try:
            return self._model(deployment)
        except _Unsupported as reason:
            return LeftOut(name=deployment.model_name, reason=str(reason))

    def _model(self, deployment: Deployment) -> Found | LeftOut:
        parameters = deployment.litellm_params
        provider, model = self._served(parameters)
        base_url = self._base_url(parameters, usual=str(provider.base_url))
        elsewhere = base_url is not None
        known = {} if elsewhere else provider.known(model)
        endpoint = _endpoint(deployment, default=known.get("endpoint"), elsewhere=elsewhere)
        usual = {} if elsewhere or not provider.keys or endpoint != "chat" else {"tools": True, "json_mode": True}
        fields = {"description": describe(model), **usual, **known, **_stated(deployment)}
        price = {**known.get("price", {}), **deployment.price()}
        fields |= {
            "id": model_id(deployment.model_name),
            "upstream": self._upstream(parameters, provider=provider, model=model, base_url=base_url),
            "price": price,
            "endpoint": endpoint,
        }
        return take(fields, notes=self._notes(deployment, fields))

    def _upstream(
        self, parameters: Parameters, *, provider: Provider, model: str, base_url: str | None
    ) -> dict[str, Any]:
        if base_url is None and provider.base_url is None:
            raise _Unsupported("it has no api_base, so there is no telling where it is served")
        key = self._key(parameters, provider=provider, elsewhere=base_url is not None)
        upstream = {"base_url": base_url or provider.base_url, "model": model, "api_key_env": key}
        wait = {} if parameters.timeout is None else {"first_byte_timeout_s": parameters.timeout}
        return {**upstream, **wait}

    def _served(self, parameters: Parameters) -> tuple[Provider, str]:
        """The provider, and its own name for the model."""
        name = self._resolved(parameters.model)
        prefix, _, rest = name.partition("/")
        wanted = parameters.custom_llm_provider or (prefix if rest else None)
        if wanted is None and (parameters.api_base or _OPENAI_MODEL.match(name)):
            wanted = "openai"
        if wanted is None:
            raise _Unsupported("its model names no provider, and there is no api_base")
        model = rest if prefix == wanted else name
        if "*" in model:
            raise _Unsupported("a wildcard stands for models that it does not name: list them one by one")
        provider = next((provider for provider in providers() if wanted in provider.litellm), None)
        if provider is None:
            instead = _INSTEAD.get(wanted, "if its server does, add it by hand with its base_url")
            raise _Unsupported(f"its provider, {wanted}, is not known to speak OpenAI's protocol; {instead}")
        return provider, provider.full_name(model)

    def _base_url(self, parameters: Parameters, *, usual: str) -> str | None:
        """The server's OpenAI base, where it is not the usual one; servers without a path have theirs at /v1."""
        if parameters.api_base is None:
            return None
        try:
            url = urlsplit(self._resolved(parameters.api_base))
        except ValueError as error:
            raise _Unsupported("its api_base is no address") from error
        if url.username or url.password or url.query:
            raise _Unsupported("its api_base holds a user name, a password or a query, which is no place for secrets")
        path = _OPENAI_PATHS.sub("", url.path).rstrip("/")
        address = f"{url.scheme}://{url.netloc}{path or '/v1'}"
        return None if address == usual else address

    def _key(self, parameters: Parameters, *, provider: Provider, elsewhere: bool) -> str | None:
        """The variable that holds the key; a server elsewhere never gets the provider's own key."""
        key = parameters.api_key
        if key is None:
            return None if elsewhere else provider.key_in(self._environment) or next(iter(provider.keys), None)
        if key.startswith(_FROM_ENVIRONMENT):
            return _variable(key)
        if key.lower() in _NO_KEY:
            return None
        if key not in self._variables:
            wish = f"LITELLM_{provider.name.replace('-', '_').upper()}_API_KEY"
            self._variables[key] = next(name for name in numbered(wish, joint="_") if self._is_free(name, key))
        return self._variables[key]

    def _is_free(self, name: str, key: str) -> bool:
        return name not in self._variables.values() and self._environment.get(name) in (None, "", key)

    def _resolved(self, value: str) -> str:
        if not value.startswith(_FROM_ENVIRONMENT):
            return value
        name = _variable(value)
        if not self._environment.get(name):
            raise _Unsupported(f"part of it comes from the environment variable {name}: set that and run this again")
        return self._environment[name]

    def _notes(self, deployment: Deployment, fields: Mapping[str, Any]) -> list[str]:
        name, key = deployment.model_name, deployment.litellm_params.api_key
        notes = []
        if name in self._names:
            notes.append(f"Another deployment of {name}: LiteLLM spreads requests over them under that one name.")
        self._names.add(name)
        if fields["id"] != name:
            notes.append(f"LiteLLM calls it {name!r}.")
        if key in self._variables:
            notes.append(f"LiteLLM's file spells its key out; it was not copied: set {self._variables[key]} to it.")
        if "context_window" not in fields:
            notes.append(f"Its context window is not stated: {_USUAL_WINDOW} tokens are assumed.")
        if deployment.completes_text():
            notes.append("LiteLLM sends it text completions; here it gets chats: its server must have both.")
        if extras := deployment.not_taken():
            notes.append(f"Not taken over: {', '.join(extras)}.")
        return notes


def _stated(deployment: Deployment) -> dict[str, Any]:
    """The card's fields that the entry states."""
    facts = deployment.model_info
    fields = {
        "context_window": facts.max_input_tokens or facts.max_tokens,
        "max_output_tokens": facts.max_output_tokens or (facts.max_tokens if facts.max_input_tokens else None),
        "tools": facts.supports_function_calling,
        "json_mode": facts.supports_response_schema,
        "tags": set(deployment.litellm_params.tags) or None,
    }
    if facts.supports_vision is not None or facts.supports_audio_input is not None:
        extra = {"image": facts.supports_vision, "audio": facts.supports_audio_input}
        fields["modalities"] = {"text", *(name for name, supported in extra.items() if supported)}
    return {name: value for name, value in fields.items() if value is not None}


def _endpoint(deployment: Deployment, *, default: str | None, elsewhere: bool) -> str:
    mode = deployment.model_info.mode
    if not elsewhere and deployment.completes_text():
        raise _Unsupported("the provider serves it for text completion only, not for chats")
    if mode is None:
        return default or ("embeddings" if is_embedder(deployment.litellm_params.model) else "chat")
    if mode not in _ENDPOINTS:
        raise _Unsupported(f"mode {mode}: only chats and embeddings are served")
    return _ENDPOINTS[mode]


def _variable(reference: str) -> str:
    """The variable that ``os.environ/NAME`` names."""
    name = reference.removeprefix(_FROM_ENVIRONMENT)
    if not _VARIABLE.fullmatch(name):
        raise _Unsupported("it refers to an environment variable by something that is no variable's name")
    return name
