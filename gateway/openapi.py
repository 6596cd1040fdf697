"""The published description of the API (OpenAPI 3.1), made from the types that requests are read with."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec
from pydantic import BaseModel

from gateway import __version__
from gateway.admin import GROUPS as ADMIN
from gateway.dialects.inputs import ResponsesRequest
from gateway.dialects.messages import CountRequest, MessagesRequest
from gateway.explain.decisions import Decisions
from gateway.feedback import BATCH_LIMIT, FeedbackItem, FeedbackResult
from gateway.operations import DATA, JSON, MATCH, Group, Nothing, Operation
from gateway.request import ChatRequest, EmbeddingsRequest

#: All groups of operations: what is served and what is described.
GROUPS: tuple[type[Group], ...] = (Decisions, *ADMIN)

_OPERATIONS = tuple(operation for group in GROUPS for operation in group.operations())
_SPOKEN = (ChatRequest, EmbeddingsRequest, MessagesRequest, CountRequest, ResponsesRequest)
_TYPES = (*_SPOKEN, FeedbackItem, FeedbackResult, *(each.answer for each in _OPERATIONS))
_BODIES = (
    *(each.asked for each in _OPERATIONS if each.with_body),
    *(each.body for each in _OPERATIONS if isinstance(each.body, type)),
)
_BINARY = {"type": "string", "format": "binary"}
_ASKING = "400 401 404 408 409 413 415 422 429 502 503 504"
_STATUSES = {
    "400": "The request is not valid.",
    "401": "The API key is missing or not valid.",
    "403": "The key may not do this.",
    "404": "There is no such thing.",
    "408": "The request did not arrive in time.",
    "409": "It clashes with something.",
    "412": "It was changed since.",
    "413": "The body is too large.",
    "415": "The model's server does not take this kind of content.",
    "422": "The request is valid but cannot be followed.",
    "428": "Say which version is meant, in If-Match.",
    "429": "Too much at once, here or at the model.",
    "502": "The model failed.",
    "503": "Not possible now; try again.",
    "504": "The model did not answer in time.",
}


@cache
def document() -> dict[str, Any]:
    """The whole description."""
    types = {each for each in (*_TYPES, *_BODIES) if each is not bytes}
    ordered = sorted((each for each in types if not issubclass(each, BaseModel)), key=lambda each: each.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    for each in types.difference(ordered):
        components.update(_sections(each))
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
    name = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    return {
        **{f"/v1/{path}": {"post": operation} for path, operation in {**_routed(), **_passed_on()}.items()},
        "/v1/messages/count_tokens": {
            "post": _operation("Estimate a prompt's tokens", "400 401 408 413", "CountRequest")
        },
        "/v1/route": {
            "post": _operation("Show what would be chosen, and why", "400 401 404 408 413 503", "ChatRequest")
        },
        "/v1/feedback": {
            "post": _operation("Tell how good answers were", "400 401 404 408 413 422 503", feedback, returned)
        },
        "/v1/models": {"get": _operation("List models", "401")},
        "/v1/models/{id}": {"get": {**_operation("Show a model", "401 404"), "parameters": [name]}},
        **_declared(),
        "/healthz": {"get": {**_operation("Is the process alive", ""), "security": []}},
        "/readyz": {"get": {**_operation("Can requests be answered", "503"), "security": []}},
        "/metrics": {"get": {**_operation("Figures for Prometheus", "403", kind="text/plain"), "security": []}},
        "/openapi.json": {"get": {**_operation("This description", ""), "security": []}},
    }


def _routed() -> dict[str, Any]:
    """What is given to a model, in each dialect."""
    prompt = {"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]}
    return {
        "chat/completions": _operation("Answer with the best model", _ASKING, "ChatRequest", streams=True),
        "completions": _operation("Answer a plain prompt", _ASKING, prompt, streams=True),
        "responses": _operation("Answer, in OpenAI's newer shape", _ASKING, "ResponsesRequest", streams=True),
        "messages": _operation("Answer, in Anthropic's shape", _ASKING, "MessagesRequest", streams=True),
        "embeddings": _operation("Embed texts", _ASKING, "EmbeddingsRequest"),
    }


def _passed_on() -> dict[str, Any]:
    """What is handed to the model that it names."""
    named = {"model": {"type": "string"}}
    form = {"type": "object", "properties": {**named, "file": _BINARY}, "required": ["model", "file"]}
    judged = {"type": "object", "properties": {**named, "input": {}}, "required": ["model", "input"]}
    spoken = {"type": "object", "properties": {**named, "input": {"type": "string"}}, "required": ["model", "input"]}
    takes = "multipart/form-data"
    return {
        "moderations": _operation("Judge texts or images, by a named model", _ASKING, judged),
        "audio/speech": _operation("Speak a text, by a named model", _ASKING, spoken, _BINARY, kind="audio/*"),
        "audio/transcriptions": _operation("Write down speech, by a named model", _ASKING, form, takes=takes),
        "audio/translations": _operation("Write down speech in English, by a named model", _ASKING, form, takes=takes),
    }


def _declared() -> dict[str, Any]:
    """The operations that groups declare, by path and method."""
    found: dict[str, dict[str, Any]] = {}
    for each in _OPERATIONS:
        path = each.path.replace(":path}", "}")
        found.setdefault(path, {})[each.method.lower()] = _described(each)
    return found


def _sections(section: type[BaseModel]) -> dict[str, Any]:
    """The schemas of a part of the configuration, and of the parts within."""
    schema = section.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), section.__name__: schema}


def _described(operation: Operation[Any]) -> dict[str, Any]:
    asked, answer = operation.asked, operation.answer
    statuses = {"401", *operation.errors.split()} | ({"403"} if operation.admin else set())
    if asked is not Nothing:
        statuses |= {"400", "408", "413"} if operation.with_body or operation.with_data else {"400"}
    schema = _BINARY if answer is bytes else _ref(answer.__name__)
    found = _operation(operation.summary, " ".join(sorted(statuses)), None, schema, kind=operation.gives)
    fields = msgspec.json.schema(asked)["$defs"][asked.__name__]
    if operation.with_body:
        content = {JSON: {"schema": _ref(asked.__name__)}}
        found["requestBody"] = {"required": bool(fields.get("required")), "content": content}
    elif asked is not Nothing:
        found["parameters"] = _parameters(operation.path, fields)
    if operation.with_data:
        body = operation.body or _BINARY
        taken = _ref(body.__name__) if isinstance(body, type) else body
        found["requestBody"] = {"required": True, "content": {operation.takes: {"schema": taken}}}
    found["responses"][str(operation.status)] = found["responses"].pop("200")
    return found


def _parameters(path: str, fields: dict[str, Any]) -> list[dict[str, Any]]:
    """A struct's fields, those that the path names and those of the query."""
    named, required = re.findall(r"{(\w+)", path), fields.get("required", ())
    places = {MATCH: "header", **dict.fromkeys(named, "path")}
    spelled = {MATCH: "If-Match"}
    return [
        {
            "name": spelled.get(name, name),
            "in": places.get(name, "query"),
            "required": name in required,
            "schema": each,
        }
        for name, each in fields["properties"].items()
        if name != DATA
    ]


def _operation(
    summary: str,
    errors: str,
    body: str | dict[str, Any] | None = None,
    answer: dict[str, Any] | None = None,
    *,
    kind: str = JSON,
    takes: str = JSON,
    streams: bool = False,
) -> dict[str, Any]:
    schema = answer or ({"type": "object"} if kind == JSON else {"type": "string"})
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
        found["requestBody"] = {"required": True, "content": {takes: {"schema": reference}}}
    return found


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _many(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name), "minItems": 1, "maxItems": BATCH_LIMIT}


def _error_schema() -> dict[str, Any]:
    text = {"type": ["string", "null"]}
    fields = {"message": {"type": "string"}, "type": {"type": "string"}, "param": text, "code": text}
    error = {"type": "object", "properties": fields, "required": ["message", "type"]}
    return {"type": "object", "properties": {"error": error}, "required": ["error"]}
