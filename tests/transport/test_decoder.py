import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport import ProtocolViolation, TransportError
from gateway.transport.decoder import HEAD_BYTES, HEAD_FIELDS, Decoder
from gateway.transport.response import Response

from .samples import Sample, samples, split

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
WAIT = b"HTTP/1.1 100 Continue\r\n\r\n"


class Nowhere:
    """Bytes from no connection at all."""

    def resume(self) -> None:
        return

    def close(self, error: TransportError | None = None) -> None:
        raise AssertionError(f"nothing to close: {error}")


def begin(decoder: Decoder, *, head_only: bool = False) -> Response:
    response = Response(source=Nowhere())
    decoder.begin(response, bodiless=head_only)
    return response


def decode(*pieces: bytes, head_only: bool = False, end: bool = False) -> tuple[Response, Decoder]:
    decoder = Decoder()
    response = begin(decoder, head_only=head_only)
    for piece in pieces:
        decoder.feed(piece)
    if end and not decoder.complete:
        assert decoder.end()
    return response, decoder


def body_of(response: Response) -> bytes:
    response.finish()
    return asyncio.run(response.read(limit=1 << 20))


def bytewise(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


@pytest.mark.parametrize("pieces", [lambda data: [data], bytewise], ids=["whole", "bytewise"])
@pytest.mark.parametrize(
    ("wire", "status", "body", "kept"),
    [
        (OK + b"Content-Length: 3\r\n\r\nabc", 200, b"abc", True),
        (OK + b"Content-Length: 0\r\n\r\n", 200, b"", True),
        (OK + b"Content-Length: 3\r\nConnection: close\r\n\r\nabc", 200, b"abc", False),
        (OK + b"Content-Length: 3\r\nConnection: x, CLOSE\r\n\r\nabc", 200, b"abc", False),
        (OK + b"transfer-encoding: Chunked \r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200, b"abc", True),
        (CHUNKED + b"1;x=y\r\na\r\n002;z\r\nbc\r\n0;q\r\nT: 1\r\nU: 2\r\n\r\n", 200, b"abc", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, b"x", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", 200, b"x", True),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, b"", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 304, b"", True),
        (WAIT + b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nx", 200, b"x", True),
        (b"HTTP/1.1 199 What\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nx", 200, b"x", True),
        (b"HTTP/1.1 503\r\nContent-Length: 1\r\n\r\nx", 503, b"x", True),
        (b"\r\n" + OK + b"Content-Length: 1\r\n\r\nx", 200, b"x", True),
    ],
)  # fmt: skip
def test_conformance(pieces: object, wire: bytes, status: int, body: bytes, kept: bool) -> None:
    response, decoder = decode(*pieces(wire))  # type: ignore[operator]
    assert decoder.complete
    assert (response.status, body_of(response), decoder.reusable) == (status, body, kept)


@pytest.mark.parametrize("pieces", [lambda data: [data], bytewise], ids=["whole", "bytewise"])
@pytest.mark.parametrize(
    "wire",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 600 High\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 104 Odd\r\nContent-Length: 1\r\n\r\nx" + OK + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        OK + b"Content-Length: 3, 3\r\n\r\nabc",
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: +1\r\n\r\nx",
        OK + b"Content-Length: 0x1\r\n\r\nx",
        OK + b"Content-Length: \r\n\r\nx",
        OK + b"Content-Length: 99999999999999999999999\r\n\r\nx",
        OK + b"Transfer-Encoding: gzip\r\n\r\nx",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: \r\n\r\n0\r\n\r\n",
        CHUNKED + b"xyz\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"fffffffffffffffff\r\n",
        CHUNKED + b"3\r\nabcde\r\n0\r\n\r\n",
        CHUNKED + b"3\nabc\r\n0\r\n\r\n",
        CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
        OK + b"Content-Length : 1\r\n\r\nx",
        OK + b"A: x\r\n folded\r\nContent-Length: 0\r\n\r\n",
        OK + b" A: x\r\nContent-Length: 0\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b"A: \0\r\n\r\n",
        OK + b"A: x\ry\r\n\r\n",
        OK + b"\xe9: x\r\n\r\n",
    ],
)  # fmt: skip
def test_violations(pieces: object, wire: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="bad response"):
        decode(*pieces(wire))  # type: ignore[operator]


def test_header_names_are_lowered_and_values_trimmed_and_order_kept() -> None:
    response, _ = decode(OK + b"X-B: 2\t \r\nx-a:  1\r\nX-B:\r\nContent-Length: 0\r\n\r\n")
    assert response.headers == [(b"x-b", b"2"), (b"x-a", b"1"), (b"x-b", b""), (b"content-length", b"0")]


def test_informational_headers_and_trailers_are_no_headers_of_the_response() -> None:
    decoder = Decoder()
    wire = b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + CHUNKED + b"0\r\nX-T: 1\r\n\r\n"
    for _ in range(2):
        response = begin(decoder)
        decoder.feed(wire)
        assert decoder.complete
        assert response.headers == [(b"transfer-encoding", b"chunked")]


def test_bytes_after_the_end_spoil_the_connection_but_not_the_response() -> None:
    for extra in (b"H", OK + b"Content-Length: 0\r\n\r\n", b"\0"):
        response, decoder = decode(OK + b"Content-Length: 2\r\n\r\nhi" + extra)
        assert decoder.complete
        assert not decoder.reusable
        assert body_of(response) == b"hi"


@pytest.mark.parametrize("fields", [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b""])
def test_head_has_no_body_whatever_its_fields_say(fields: bytes) -> None:
    for wire in (OK + fields + b"\r\n", OK + fields + b"\r\n1\r\nhello"):
        response, decoder = decode(wire, head_only=True)
        assert decoder.complete
        assert not decoder.reusable
        assert body_of(response) == b""


def test_a_body_without_a_length_goes_on_to_the_end() -> None:
    response, decoder = decode(OK + b"\r\nabc", b"def")
    assert not decoder.complete
    assert decoder.end()
    assert not decoder.reusable
    assert body_of(response) == b"abcdef"


@pytest.mark.parametrize(
    "wire",
    [b"", b"HTTP/1.1 2", OK + b"A: b\r\n", OK + b"Content-Length: 3\r\n\r\nab", CHUNKED + b"1\r\na\r\n", WAIT],
)
def test_an_early_end_is_no_end(wire: bytes) -> None:
    _, decoder = decode(wire)
    assert not decoder.end()


@pytest.mark.parametrize("size", [1000, 1 << 20])
@pytest.mark.parametrize(
    "wire",
    [
        OK + b"A: b\r\n" * (HEAD_FIELDS + 2),
        OK + b"A: " + b"b" * HEAD_BYTES,
        OK + b"A" * (HEAD_BYTES + 1),
        OK + b"A: " + b"b" * HEAD_BYTES + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 " + b"O" * HEAD_BYTES,
        b"HTTP/1.1 100 C\r\n\r\n" * HEAD_BYTES,
        CHUNKED + b"0\r\n" + b"A: b\r\n" * (HEAD_FIELDS + 2),
    ],
    ids=["fields", "value", "name", "complete", "reason", "informational", "trailers"],
)
def test_a_head_is_limited(wire: bytes, size: int) -> None:
    with pytest.raises(ProtocolViolation, match=r"header fields|bytes of head"):
        decode(*[wire[start : start + size] for start in range(0, len(wire), size)])


def test_a_head_may_reach_its_limit() -> None:
    response, decoder = decode(OK + b"A: b\r\n" * (HEAD_FIELDS - 1) + b"Content-Length: 0\r\n\r\n")
    assert decoder.complete
    assert len(response.headers) == HEAD_FIELDS


@pytest.mark.parametrize("start", [b"1;", b'1;a="', b"0\r\nA: ", b"0\r\nA"])
def test_endless_chunk_extensions_and_trailers_are_refused(start: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="bytes of head, chunk extension or trailer"):
        decode(CHUNKED, start, *[b"x" * 1000] * (HEAD_BYTES // 1000 + 1))


@given(samples(), st.lists(st.integers(0, 2000), max_size=12))
def test_how_the_bytes_are_split_changes_nothing(sample: Sample, cuts: list[int]) -> None:
    response, decoder = decode(*split(sample.wire, cuts), end=sample.ends)
    assert decoder.complete
    assert (response.status, response.headers) == (sample.status, sample.headers)
    assert body_of(response) == sample.body
    assert decoder.reusable == sample.kept


@given(st.lists(samples(kept_only=True), min_size=2, max_size=4), st.lists(st.integers(0, 2000), max_size=6))
def test_one_decoder_takes_one_response_after_another(several: list[Sample], cuts: list[int]) -> None:
    decoder = Decoder()
    for sample in several:
        response = begin(decoder)
        for piece in split(sample.wire, cuts):
            decoder.feed(piece)
        assert decoder.complete
        assert decoder.reusable
        assert (response.status, response.headers) == (sample.status, sample.headers)
        assert body_of(response) == sample.body


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_give_a_response_or_a_violation(data: bytes, status_line: bool) -> None:
    try:
        response, decoder = decode(OK + data if status_line else data)
    except ProtocolViolation:
        return
    assert response.status in (0, *range(200, 600))
    assert decoder.complete <= bool(response.status)
