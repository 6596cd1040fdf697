import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport import Origin


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("http://example.com", "example.com", 80, b"", b"example.com"),
        ("http://example.com/", "example.com", 80, b"", b"example.com"),
        ("https://Example.com:443/v1/", "example.com", 443, b"/v1", b"example.com"),
        ("http://127.0.0.1:8000/a/b%20c", "127.0.0.1", 8000, b"/a/b%20c", b"127.0.0.1:8000"),
        ("http://[::1]:9000/v1", "::1", 9000, b"/v1", b"[::1]:9000"),
        ("https://[2001:DB8:0::1]", "2001:db8:0::1", 443, b"", b"[2001:db8::1]"),
        ("http://my_service.local.:81", "my_service.local.", 81, b"", b"my_service.local.:81"),
    ],
)
def test_parses(url: str, host: str, port: int, path: bytes, authority: bytes) -> None:
    origin = Origin(url)
    assert (origin.host, origin.port, origin.path, origin.authority) == (host, port, path, authority)
    assert origin.key == (url.split(":")[0], host, port)
    assert repr(origin) == f"Origin('{origin}')"


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com", "ftp://example.com", "unix:///run/x", "http://", "http:///v1",
        "http://user:secret@example.com", "http://@example.com", "http://example.com?x=1", "http://example.com/#",
        "http://example.com:0", "http://example.com:65536", "http://example.com:-1", "http://example.com:x",
        "http://exa mple.com", "http://example.com/\r\nx", "http://example.com/\x00", "http://exämple.com",
        "http://a..b", "http://.a", "http://::1", "http://[::1", "http://[::g]", "http://[fe80::1%25eth0]",
        "http://[1.2.3.4]", "http://" + "a" * 64, "http://a%20b", "http://a;b",
    ],
)  # fmt: skip
def test_refuses_with_value_error(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Origin(url)


def test_a_refusal_does_not_repeat_credentials() -> None:
    with pytest.raises(ValueError, match="must not carry") as refused:
        Origin("http://user:secret@example.com")
    assert "secret" not in str(refused.value)


@given(
    st.text()
    | st.text().map(lambda rest: "http://" + rest)
    | st.text("[]:@/?#.%a1", max_size=12).map("http://{}".format)
)
def test_any_text_gives_an_origin_or_a_value_error(url: str) -> None:
    try:
        origin = Origin(url)
    except ValueError:
        return
    assert origin.host
    assert 0 < origin.port < 65536
    assert Origin(str(origin)).key == origin.key
    assert not set(origin.authority + origin.path) & set(b"\r\n\0 ")
