"""What is wrong with a body or a query is told with the name of the field."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import pytest

from gateway.decoding import convert, decode
from gateway.errors import BadRequest


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    inner: list[int] = []


decoder = msgspec.json.Decoder(Asked)


def test_what_is_right_is_read() -> None:
    assert decode(decoder, b'{"name": "x", "inner": [1]}') == Asked("x", 1, [1])
    assert convert({"name": "5", "count": "7"}, Asked) == Asked("5", 7)


@pytest.mark.parametrize(
    ("document", "param"),
    [
        ({}, None),
        ({"name": 5}, "name"),
        ({"name": "x", "count": 0}, "count"),
        ({"name": "x", "inner": [1, "2"]}, "inner[1]"),
        ({"name": "x", "more": 1}, None),
        ([], None),
    ],
)
def test_a_faulty_field_is_named(document: Any, param: str | None) -> None:
    with pytest.raises(BadRequest) as caught:
        decode(decoder, json.dumps(document).encode())
    assert caught.value.param == param
    assert caught.value.message.endswith(f"in {param}." if param else ".")


@pytest.mark.parametrize("body", [b"", b"{", b'{"name": "\xff"}', b'{"other": "\xff"}'])
def test_what_is_no_json_is_told(body: bytes) -> None:
    with pytest.raises(BadRequest, match="not valid JSON"):
        decode(decoder, body)


def test_what_is_nested_without_end_is_told() -> None:
    with pytest.raises(BadRequest, match="nested too deeply"):
        decode(msgspec.json.Decoder(), b"[" * 100_000)


@pytest.mark.parametrize("values", [{"name": "x", "count": "many"}, {"name": "x", "count": "0"}, {"other": "x"}])
def test_a_faulty_query_is_told(values: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        convert(values, Asked)
