"""Reading JSON and query strings: whatever is wrong with them becomes an error that names the faulty field."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from gateway.errors import BadRequest

T = TypeVar("T")


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
