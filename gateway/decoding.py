"""Reading JSON and query strings: whatever is wrong with them becomes an error that names the faulty field."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from pydantic import ValidationError

from gateway.config import Section
from gateway.errors import BadRequest

T = TypeVar("T")
S = TypeVar("S", bound=Section)

_anything: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """What ``body`` says. Raises :class:`BadRequest`."""
    try:
        if not body.isascii():
            body.decode()  # the decoder looks only into the strings that are read
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error


def parse(body: bytes) -> Any:
    """The JSON document that ``body`` is. Raises :class:`BadRequest`."""
    return decode(_anything, body)


def convert(values: dict[str, Any], kind: type[T]) -> T:
    """A struct from texts by name, such as a query's. Raises :class:`BadRequest`."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error


def _invalid(error: msgspec.ValidationError) -> BadRequest:
    message, _, path = str(error).partition(" - at `")
    param = path.rstrip("`").removeprefix("$").removeprefix(".") or None
    return BadRequest(f"{message}{f' in {param}' if param else ''}.", param=param)


def validated(kind: type[S], document: Any) -> S:
    """A part of the configuration that came as JSON. Raises :class:`BadRequest` naming the first faulty field."""
    try:
        return kind.model_validate_json(msgspec.json.encode(document), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or None
        raise BadRequest(f"{first['msg']}{f' in {place}' if place else ''}.", param=place) from error


def merged(target: Any, patch: Any) -> Any:
    """A document under a merge patch (RFC 7396): ``null`` removes a field."""
    if not isinstance(patch, dict):
        return patch
    found = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found
