"""A LiteLLM proxy's ``config.yaml`` as model cards.

Each entry whose provider speaks OpenAI's protocol becomes a card that is asked so, others one that is asked through
litellm; what cannot be served, and the settings that have no counterpart here, are named with the reason. A key that
the file spells out is never copied: the card names an environment variable in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gateway.config import ConfigurationError, Endpoint, ModelCard
from gateway.init.litellm_schema import Deployment, Parameters
from gateway.init.litellm_served import FROM_ENVIRONMENT, Finder, Served, Unsupported, variable
from gateway.init.source import Found, LeftOut, Source, collect, faults, model_id, numbered, take
from gateway.init.traits import describe, is_embedder
from gateway.providers.prices import suggest

_USUAL_WINDOW = ModelCard.model_fields["context_window"].default
_NO_KEY = frozenset({"", "none", "null", "empty", "dummy", "fake", "fake-key", "not-needed", "no-key", "sk-no-key"})
_ENDPOINTS: dict[str, Endpoint] = {
    "chat": "chat",
    "completion": "chat",
    "responses": "chat",
    "embedding": "embeddings",
    "moderation": "moderations",
    "audio_transcription": "audio",
    "audio_speech": "audio",
}


def read(path: Path, *, environment: Mapping[str, str]) -> Source:
    """The models of the LiteLLM configuration at ``path``.

    Raises :class:`ConfigurationError` when the file is none. A faulty entry is left out and named.
    """
    document = _document(path)
    reader = Reader(environment=environment)
    results = [reader.model(entry) for entry in document["model_list"]]
    notes = ["Where it says nothing else, hosted models are taken to have tools and JSON mode."]
    if any(isinstance(result, Found) and result.card.upstream.kind == "litellm" for result in results):
        notes.append("Models of kind litellm need its package: make providers installs it.")
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


class Reader:
    """Turns entries of one file into cards, one after another: repeated names and keys are recognised."""

    def __init__(self, *, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._finder = Finder(environment=environment)
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
        except Unsupported as reason:
            return LeftOut(name=deployment.model_name, reason=str(reason))

    def _model(self, deployment: Deployment) -> Found | LeftOut:
        served = self._finder.served(deployment.litellm_params)
        suggested = None if served.elsewhere else suggest(served.name)
        known = {**(suggested.fields() if suggested is not None else {}), **served.known()}
        endpoint = _endpoint(deployment, served, default=known.get("endpoint"))
        hosted = not served.elsewhere and (served.native or served.provider.keys)
        usual = {"tools": True, "json_mode": True} if hosted and endpoint == "chat" else {}
        fields = {"description": describe(served.model), **usual, **known, **_stated(deployment)}
        fields |= {
            "id": model_id(deployment.model_name),
            "upstream": self._upstream(deployment.litellm_params, served),
            "price": {**dict(known.get("price", {})), **deployment.price()},
            "endpoint": endpoint,
        }
        return take(fields, notes=self._notes(deployment, served, fields))

    def _upstream(self, parameters: Parameters, served: Served) -> dict[str, Any]:
        key = self._key(parameters, served)
        wait = {} if parameters.timeout is None else {"first_byte_timeout_s": parameters.timeout}
        if not served.native:
            base_url = served.base_url or served.provider.base_url
            return {"base_url": base_url, "model": served.model, "api_key_env": key, **wait}
        options = {
            name: self._finder.resolved(value) if isinstance(value, str) else value
            for name, value in parameters.options().items()
        }
        reached = {"kind": "litellm", "base_url": served.base_url, "model": served.name, "api_key_env": key}
        return {**reached, "options": options, **wait}

    def _key(self, parameters: Parameters, served: Served) -> str | None:
        """The variable that holds the key; a server elsewhere never gets the provider's own key."""
        key, provider = parameters.api_key, served.provider
        if key is None:
            usual = provider.key_in(self._environment) or next(iter(provider.keys), None)
            return None if served.elsewhere else usual
        if key.startswith(FROM_ENVIRONMENT):
            return variable(key)
        if key.lower() in _NO_KEY:
            return None
        if key not in self._variables:
            wish = f"LITELLM_{provider.name.replace('-', '_').upper()}_API_KEY"
            self._variables[key] = next(name for name in numbered(wish, joint="_") if self._is_free(name, key))
        return self._variables[key]

    def _is_free(self, name: str, key: str) -> bool:
        return name not in self._variables.values() and self._environment.get(name) in (None, "", key)

    def _notes(self, deployment: Deployment, served: Served, fields: Mapping[str, Any]) -> list[str]:
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
        if served.native and served.provider.variables:
            notes.append(f"litellm reads its credentials from the environment: {', '.join(served.provider.variables)}.")
        if extras := deployment.not_taken(native=served.native):
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


def _endpoint(deployment: Deployment, served: Served, *, default: Endpoint | None) -> Endpoint:
    mode = deployment.model_info.mode
    if not served.elsewhere and deployment.completes_text():
        raise Unsupported("the provider serves it for text completion only, not for chats")
    if mode is None:
        return default or ("embeddings" if is_embedder(deployment.litellm_params.model) else "chat")
    if mode not in _ENDPOINTS:
        raise Unsupported(f"mode {mode}: only chats, embeddings, moderations and audio are served")
    return _ENDPOINTS[mode]
