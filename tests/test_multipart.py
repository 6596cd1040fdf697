"""A form's field is found where every other reader finds it, or the form is refused."""

from __future__ import annotations

from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadRequest
from gateway.multipart import boundary, place

PLAIN = b'content-disposition: form-data; name="%s"'
FILE = b'Content-Disposition: form-data; name="%s"; filename="a.wav"\r\nContent-Type: audio/wav'


def form(*parts: tuple[bytes, bytes], line: bytes = b"--b") -> bytes:
    """A body of parts, each its headers and its value."""
    return b"".join(b"%s\r\n%s\r\n\r\n%s\r\n" % (line, head, value) for head, value in parts) + line + b"--\r\n"


def test_a_field_is_found_among_others() -> None:
    body = form((FILE % b"file", b"\x00\r\n--\r\n\xff"), (PLAIN % b"model", b"whisper-1"), (PLAIN % b"x", b""))
    found = place(body, "model")
    assert found is not None
    assert body[found] == b"whisper-1"
    empty = place(body, "x")
    assert empty is not None
    assert body[empty] == b""
    assert place(body, "language") is None
    assert boundary(body) == b"b"


@pytest.mark.parametrize(
    "name", [b"form-data; name=model", b'form-data; foo=bar; NAME="model"', b'x;\r\n name="model"']
)
def test_names_may_be_written_in_other_ways(name: bytes) -> None:
    body = form((b"CONTENT-DISPOSITION: " + name, b"m"))
    found = place(body, "model")
    assert found is not None
    assert body[found] == b"m"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"model": "m"}',
        b"--\r\n",
        b"--b\n",
        b"--b\r\n",
        b"--" + b"b" * 71 + b"\r\n",
        b'--"\r\n' + PLAIN % b"model",
        form((PLAIN % b"model", b"m"))[:-6],
        b"preamble\r\n" + form((PLAIN % b"model", b"m")),
        form((PLAIN % b"model", b"\r\n--bb")),
        form((b"content-type: text/plain", b"m")),
        form((b"content-disposition: form-data", b"m")),
        form((b"content-disposition: form-data; name*=utf-8''model", b"m")),
        form((PLAIN % b"x" + b"\r\n" + PLAIN % b"model", b"m")),
        b"--b\r\nno blank line\r\n--b--\r\n",
    ],
)
def test_what_is_no_form_or_can_be_read_in_two_ways_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        place(body, "model")


def test_a_field_given_twice_is_refused() -> None:
    with pytest.raises(BadRequest, match="model must be given once"):
        place(form((PLAIN % b"model", b"mine"), (PLAIN % b"model", b"another")), "model")


@given(
    values=st.dictionaries(st.sampled_from(["a", "b", "model"]), st.binary(max_size=60), max_size=3),
    marker=st.from_regex(rb"[0-9a-zA-Z'()+_,./:=?-]{1,70}", fullmatch=True),
)
def test_it_finds_what_the_standard_library_finds(values: dict[str, bytes], marker: bytes) -> None:
    line = b"--" + marker
    parts = [(PLAIN % name.encode(), value) for name, value in values.items() if line not in value]
    body = form(*parts, line=line)
    if not parts:
        return
    read = message_from_bytes(b'content-type: multipart/form-data; boundary="%s"\r\n\r\n' % marker + body)
    assert len(list(read.walk())) == len(parts) + 1
    for head, value in parts:
        name = head.partition(b'"')[2][:-1].decode()
        found = place(body, name)
        assert found is not None
        assert body[found] == value


@given(body=st.binary(max_size=200).map(lambda rest: b"--b\r\n" + rest) | st.binary(max_size=50))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        found = place(body, "model")
    except BadRequest:
        return
    assert found is None or 0 <= found.start <= found.stop <= len(body)
