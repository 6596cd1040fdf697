"""Laws of the relay: events come out whole however they arrive, and ``id`` is all that changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import UpstreamFailed
from gateway.relay import DONE, EVENT_LIMIT, EventSplitter, payload, read_body, renamed, retitled

NAME = b"chatcmpl-0123"

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3))
objects = st.dictionaries(st.sampled_from(["id", "object", "choices", "x", "é"]) | st.text(), values, max_size=5)
ends = st.sampled_from(["\n", "\r\n", "\r"])
layouts = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}])
EVENTS = [b'data: {"id":"a"}', b": comment", b"event: x\ndata: 1", b"data: [DONE]"]


def split(pieces: list[bytes]) -> tuple[list[bytes], bytes]:
    splitter = EventSplitter()
    return [event for piece in pieces for event in splitter.feed(piece)], splitter.end()


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_two_pieces_cut_at_every_offset_give_the_same_events(end: bytes) -> None:
    whole = b"".join(event + end for event in EVENTS) + b"data: rest"
    expected = [event + end for event in EVENTS], b"data: rest"
    for place in range(len(whole) + 1):
        assert split([whole[:place], whole[place:]]) == expected
    assert split([whole[at : at + 1] for at in range(len(whole))]) == expected


@given(st.lists(st.binary(max_size=12), max_size=12))
def test_no_byte_is_lost_or_added(pieces: list[bytes]) -> None:
    events, rest = split(pieces)
    assert b"".join(events) + rest == b"".join(pieces)


def test_an_event_without_an_end_is_given_up() -> None:
    splitter = EventSplitter()
    piece = b"x" * (EVENT_LIMIT // 4)
    for _ in range(4):
        assert list(splitter.feed(piece)) == []
    with pytest.raises(UpstreamFailed):
        list(splitter.feed(piece))


@given(objects, layouts)
def test_renaming_changes_the_id_alone(document: dict[str, Any], layout: dict[str, Any]) -> None:
    data = json.dumps(document, **layout).encode()
    assert json.loads(renamed(data, NAME)) == {**document, "id": NAME.decode()}


@given(st.text())
def test_a_leading_id_is_replaced_in_its_place(rest: str) -> None:
    tail = f'  , "x" :\t{json.dumps(rest)} }} \n'.encode()
    assert renamed(b' { "id" : "upstream"' + tail, NAME) == b'{"id":"' + NAME + b'"' + tail


@given(objects, ends, layouts)
def test_an_events_other_lines_and_ends_stay(document: dict[str, Any], end: str, layout: dict[str, Any]) -> None:
    text = json.dumps(document, **{**layout, "ensure_ascii": True})
    data = end.join(f"data: {line}" for line in text.split("\n"))
    event = f"event: message{end}{data}{end}retry: 1{end}{end}".encode()
    changed = retitled(event, payload(event), NAME)
    assert json.loads(payload(changed)) == {**document, "id": NAME.decode()}
    assert changed.startswith(f"event: message{end}data: ".encode())
    assert changed.endswith(f"{end}retry: 1{end}{end}".encode())
    assert split([changed]) == ([changed], b"")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (b"data: x\n\n", b"x"),
        (b"data:x\n\n", b"x"),
        (b"data:  x\r\n\r\n", b" x"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b"event: e\rdata: a\r\r", b"a"),
        (b": comment\n\n", b""),
        (b"\n\n", b""),
    ],
)
def test_an_events_data(event: bytes, expected: bytes) -> None:
    assert payload(event) == expected
    assert payload(event) != DONE


@pytest.mark.parametrize("event", [b"data: [DONE]\n\n", b"data:[DONE]\r\n\r\n"])
def test_the_last_event(event: bytes) -> None:
    assert payload(event) == DONE


@given(values)
def test_only_objects_are_answers(value: Any) -> None:
    data = json.dumps(value).encode()
    if not isinstance(value, dict):
        with pytest.raises(UpstreamFailed):
            read_body(data)
        with pytest.raises(UpstreamFailed):
            renamed(data, NAME)
    else:
        assert json.loads(renamed(data, NAME))["id"] == NAME.decode()
