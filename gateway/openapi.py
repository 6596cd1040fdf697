"""The published description of the API (OpenAPI 3.1), made from the types that requests are read with."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from gateway import __version__
from gateway.feedback import BATCH_LIMIT, FeedbackItem, FeedbackResult
from gateway.request import ChatRequest, EmbeddingsRequest

_TYPES = (ChatRequest, EmbeddingsRequest, FeedbackItem, FeedbackResult)
_STATUSES = {
    "400": "The request is not valid.",
    "401": "The API key is missing or not valid.",
    "403": "The key may not do this.",
    "404": "There is no such thing.",
    "409": "The model's server says that it clashes with something.",
    "413": "The body is too large.",
    "415": "The model's server does not take this kind of content.",
    "422": "The request is valid but cannot be followed.",
    "429": "The model is at its rate limit.",
    "502": "The model failed.",
    "503": "Not possible now; try again.",
    "504": "The model did not answer in time.",
}


@cache
def document() -> dict[str, Any]:
    """The whole description."""
    _, components = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Polyculture", "version": __version__, "license": {"name": "Apache-2.0"}},
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "schemas": {**components, "Error": _error_schema()},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths() -> dict[str, Any]:
    feedback = {"anyOf": [_ref("FeedbackItem"), _many("FeedbackItem")]}
    returned = {"anyOf": [_ref("FeedbackResult"), {"type": "object", "required": ["results"]}]}
    state = {"type": "object"}
    name = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    upstream = "429 502 503 504"
    return {
        "/v1/chat/completions": {
            "post": _operation(
                "Answer a conversation with the best model",
                f"400 401 404 409 413 415 422 {upstream}",
                "ChatRequest",
                streams=True,
            )
        },
        "/v1/embeddings": {
            "post": _operation("Embed texts", f"400 401 404 409 413 415 422 {upstream}", "EmbeddingsRequest")
        },
        "/v1/route": {"post": _operation("Show what would be chosen, and why", "400 401 404 413 503", "ChatRequest")},
        "/v1/feedback": {
            "post": _operation("Tell how good answers were", "400 401 404 413 422 503", feedback, returned)
        },
        "/v1/models": {"get": _operation("List models", "401")},
        "/v1/models/{id}": {"get": {**_operation("Show a model", "401 404"), "parameters": [name]}},
        "/admin/v1/router/freeze": {"post": _operation("Stop learning", "401 403 503", None, state)},
        "/admin/v1/router/unfreeze": {"post": _operation("Learn again", "401 403 503", None, state)},
        "/healthz": {"get": {**_operation("Is the process alive", ""), "security": []}},
        "/readyz": {"get": {**_operation("Can requests be answered", "503"), "security": []}},
        "/metrics": {"get": {**_operation("Figures for Prometheus", "403", kind="text/plain"), "security": []}},
        "/openapi.json": {"get": {**_operation("This description", ""), "security": []}},
    }


def _operation(
    summary: str,
    errors: str,
    body: str | dict[str, Any] | None = None,
    answer: dict[str, Any] | None = None,
    *,
    kind: str = "application/json",
    streams: bool = False,
) -> dict[str, Any]:
    schema = answer or ({"type": "object"} if kind == "application/json" else {"type": "string"})
    content: dict[str, Any] = {kind: {"schema": schema}}
    if streams:
        content["text/event-stream"] = {}
    responses: dict[str, Any] = {"200": {"description": "Done.", "content": content}}
    for status in errors.split():
        error = {"application/json": {"schema": _ref("Error") if status != "503" else {"type": "object"}}}
        responses[status] = {"description": _STATUSES[status], "content": error}
    found: dict[str, Any] = {"summary": summary, "responses": responses}
    if body is not None:
        reference = _ref(body) if isinstance(body, str) else body
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
    return found


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _many(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name), "minItems": 1, "maxItems": BATCH_LIMIT}


def _error_schema() -> dict[str, Any]:
    text = {"type": ["string", "null"]}
    fields = {"message": {"type": "string"}, "type": {"type": "string"}, "param": text, "code": text}
    error = {"type": "object", "properties": fields, "required": list(fields)}
    return {"type": "object", "properties": {"error": error}, "required": ["error"]}
