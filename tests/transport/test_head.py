import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport import Origin
from gateway.transport.head import request_head

ORIGIN = Origin("http://models.test:8000/v1")


def head(**changes: object) -> bytes:
    arguments: dict[str, object] = {
        "method": b"POST", "origin": ORIGIN, "target": b"/chat", "headers": [(b"accept", b"*/*")], "length": 3
    }  # fmt: skip
    return request_head(**(arguments | changes))  # type: ignore[arg-type]


def test_the_exact_bytes() -> None:
    assert head() == (b"POST /v1/chat HTTP/1.1\r\nhost: models.test:8000\r\ncontent-length: 3\r\naccept: */*\r\n\r\n")


@pytest.mark.parametrize(
    ("method", "length", "has_length"),
    [(b"GET", 0, False), (b"HEAD", 0, False), (b"DELETE", 0, False), (b"GET", 1, True), (b"POST", 0, True),
     (b"PUT", 0, True), (b"PATCH", 5, True)],
)  # fmt: skip
def test_a_length_is_sent_where_a_body_is_or_is_expected(method: bytes, length: int, has_length: bool) -> None:
    assert (b"content-length: %d\r\n" % length in head(method=method, length=length)) == has_length


@pytest.mark.parametrize("bad", [b"\r", b"\n", b"\r\n", b"\0", b"\r\nx: y", b"\x01", b"\x7f"])
def test_control_characters_are_refused_everywhere(bad: bytes) -> None:
    for changes in (
        {"method": b"POST" + bad},
        {"target": b"/a" + bad + b"b"},
        {"headers": [(b"x" + bad, b"y")]},
        {"headers": [(b"x", b"y" + bad)]},
        {"headers": [(b"x", b"y" + bad + b"z"), (b"a", b"b")]},
    ):
        with pytest.raises(ValueError, match=r"must|header"):
            head(**changes)


@pytest.mark.parametrize(
    "name",
    [b"Host", b"content-length", b"Content-Length", b"transfer-encoding", b"Connection", b"Keep-Alive", b"TE",
     b"proxy-connection", b"Expect", b"upgrade", b"Trailer", b"", b"a b", b"a:b", b"a: b", b"\xe9", b" x", b"x "],
)  # fmt: skip
def test_names_that_are_ours_or_malformed_are_refused(name: bytes) -> None:
    with pytest.raises(ValueError, match="header"):
        head(headers=[(b"accept", b"*/*"), (name, b"1")])


@pytest.mark.parametrize("name", [b"te2", b"hosts", b"x-host", b"upgrade-insecure-requests"])
def test_names_that_only_look_like_ours_pass(name: bytes) -> None:
    assert name + b": 1\r\n" in head(headers=[(name, b"1")])


@pytest.mark.parametrize("changes", [{"target": b""}, {"target": b"x"}, {"target": b"/a b"}, {"target": b"/\xe9"},
                                     {"method": b""}, {"method": b"get"}, {"method": b"CONNECT"}])  # fmt: skip
def test_bad_methods_and_targets_are_refused(changes: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="must"):
        head(**changes)


def test_a_refusal_names_the_header_but_not_its_value() -> None:
    with pytest.raises(ValueError, match="authorization") as refused:
        head(headers=[(b"accept", b"*/*"), (b"authorization", b"secret\n")])
    assert "secret" not in str(refused.value)


@given(st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=12)), max_size=4), st.binary(max_size=8))
def test_whatever_is_accepted_means_the_same_to_an_independent_parser(
    headers: list[tuple[bytes, bytes]], target: bytes
) -> None:
    try:
        data = head(headers=headers, target=b"/" + target, length=0)
    except ValueError:
        return
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    event = server.next_event()
    assert isinstance(event, h11.Request)
    assert (event.method, event.target) == (b"POST", b"/v1/" + target)
    sent = [(name.lower(), value.strip(b" \t")) for name, value in headers]
    assert list(event.headers) == [(b"host", b"models.test:8000"), (b"content-length", b"0"), *sent]
    assert isinstance(server.next_event(), h11.EndOfMessage)
