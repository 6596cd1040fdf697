"""Upstreams that refuse, break off, hang or talk nonsense: each a clear error, with nothing of their inside in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import answers
from tests.support.cards import card
from tests.support.gateway import Gateway
from tests.support.upstream import Script, Upstream, chunk, refusal, stream, whole

COMPLETION = whole(answers.completion({"model": "scripted"}))
EVENTS = answers.events({"model": "scripted"})
SECRET = "Traceback (most recent call last): /srv/secret.py sk-upstream-secret"

SECRET_KEY = "what-nobody-may-read-5e1f"

FAULTS: dict[str, tuple[Script, int]] = {
    "400": (refusal(400), 400),
    "409": (refusal(409), 409),
    "413": (refusal(413), 413),
    "415": (refusal(415), 415),
    "422": (refusal(422), 422),
    "401 is ours to mend": (refusal(401, SECRET), 502),
    "403 is ours to mend": (refusal(403, SECRET), 502),
    "404 is ours to mend": (refusal(404, SECRET), 502),
    "408": (refusal(408, SECRET), 504),
    "418": (refusal(418, SECRET), 502),
    "429": (refusal(429, SECRET), 429),
    "500": (refusal(500, SECRET), 502),
    "503": (refusal(503, SECRET), 502),
    "504": (refusal(504, SECRET), 504),
    "a redirect": (Script(pieces=[whole(b"", status=302, location="http://127.0.0.1:1/")]), 502),
    "no content": (Script(pieces=[b"HTTP/1.1 204 No Content\r\n\r\n"]), 502),
    "an error page": (Script(pieces=[whole(SECRET.encode(), status=500, kind="text/html")]), 502),
    "an error as text": (Script(pieces=[whole(b'{"error": "' + SECRET.encode() + b'"}', status=500)]), 502),
    "an error nested too deeply": (Script(pieces=[whole(b"[" * 9000 + b"]" * 9000, status=400)]), 400),
    "reset": (Script(pieces=[], ending="reset"), 502),
    "close": (Script(pieces=[], ending="close"), 502),
    "half a head": (Script(pieces=[COMPLETION[:20]], ending="close"), 502),
    "half a body": (Script(pieces=[COMPLETION[:-9]], ending="close"), 502),
    "half a body, then reset": (Script(pieces=[COMPLETION[:-9]], ending="reset"), 502),
    "not HTTP": (Script(pieces=[b"\x16\x03\x01\x02\x00\x01\x00"], ending="close"), 502),
    "two lengths": (Script(pieces=[COMPLETION.replace(b"\r\n\r\n", b"\r\ncontent-length: 1\r\n\r\n", 1)]), 502),
    "garbage": (Script(pieces=[whole(b"\x00\xff garbage")]), 502),
    "a list": (Script(pieces=[whole(b"[1, 2]")]), 502),
    "null": (Script(pieces=[whole(b"null")]), 502),
    "nothing": (Script(pieces=[whole(b"")]), 502),
    "an empty object": (Script(pieces=[whole(b"{}")]), 502),
    "nested too deeply": (Script(pieces=[whole(b'{"choices": [], "x": ' + b"[" * 9000 + b"]" * 9000 + b"}")]), 502),
    "no UTF-8": (Script(pieces=[whole(b'{"choices": [{"message": {"content": "\xff"}}]}')]), 502),
    "compressed unasked": (Script(pieces=[whole(b"\x1f\x8b\x08\x00", content_encoding="gzip")]), 502),
    "a stream unasked": (Script(pieces=stream(EVENTS)), 502),
    "too large": (Script(pieces=[whole(b'{"choices": [], "x": "' + b"x" * 400_000 + b'"}')]), 502),
    "too large, length unsaid": (Script(pieces=stream([b"[" + b"1," * 50_000] * 5, kind="application/json")), 502),
}


def assert_clean(text: str) -> None:
    """Nothing of the inside is shown."""
    for inside in ("Traceback", "/srv", "sk-upstream", "127.0.0.1", "gateway/", ".py", "http://", "object at"):
        assert inside not in text


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_status(faulty: Gateway, upstream: Upstream, name: str) -> None:
    script, status = FAULTS[name]
    upstream.scripts["scripted"] = script
    answer = faulty.chat(model="scripted")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert_clean(answer.text)
    assert answer.headers["x-polyculture-model"] == "scripted"
    assert faulty.chat(model="second").status_code == 200


def test_an_upstreams_error_never_holds_the_upstreams_key(
    start: Callable[..., Gateway], upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRIPTED_KEY", SECRET_KEY)
    keyed = card("scripted", upstream.url)
    keyed["upstream"]["api_key_env"] = "SCRIPTED_KEY"
    gateway = start({"models": [keyed]})
    error = {"message": f"{SECRET_KEY} is no key", "param": f"Bearer {SECRET_KEY}"}
    upstream.scripts["scripted"] = Script(pieces=[whole(answers.compact({"error": error}), status=400)])
    answer = gateway.chat()
    assert upstream.calls[0].header("authorization") == f"Bearer {SECRET_KEY}"
    assert answer.json()["error"] | {"message": "*** is no key", "param": "Bearer ***"} == answer.json()["error"]


def test_an_unreachable_upstream(faulty: Gateway) -> None:
    answer = faulty.chat(model="unreachable")
    assert answer.status_code == 502
    assert_clean(answer.text)


@pytest.mark.parametrize("fields", [{}, {"stream": True}])
@pytest.mark.parametrize("sent", [b"", COMPLETION[:30], COMPLETION[:-5]], ids=["nothing", "half a head", "half a body"])
def test_an_upstream_that_hangs(faulty: Gateway, upstream: Upstream, fields: dict[str, Any], sent: bytes) -> None:
    upstream.scripts["impatient"] = Script(pieces=[sent], ending="hang")
    answer = faulty.chat(model="impatient", **fields)
    assert answer.status_code == (504 if not fields or sent != COMPLETION[:-5] else 502)
    assert answer.json()["error"]["type"] == "upstream_error"
    assert upstream.calls[0].gone.wait(10), "the connection to the upstream was left open"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", "7"),
        ("0", "1"),
        ("-3", "1"),
        ("soon", "1"),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "1"),
        ("Wed, 21 Oct 2099 07:28:00 GMT", "86400"),
        ("9" * 400, "86400"),
    ],
)
def test_a_rate_limits_wait_is_passed_on(faulty: Gateway, upstream: Upstream, header: str, expected: str) -> None:
    upstream.scripts["scripted"] = refusal(429, retry_after=header)
    answer = faulty.chat(model="scripted")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == expected
    assert answer.json()["error"]["type"] == "rate_limit_error"


UNKNOWN = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"

BREAKS: dict[str, Script] = {
    "reset": Script(pieces=stream(EVENTS[:3], end=False), ending="reset"),
    "closed": Script(pieces=stream(EVENTS[:3], end=False), ending="close"),
    "cut in a chunk": Script(pieces=[*stream(EVENTS[:3], end=False), chunk(EVENTS[3])[:-9]], ending="close"),
    "bad framing": Script(pieces=[*stream(EVENTS[:3], end=False), b"zz\r\n"], ending="close"),
    "ended unfinished": Script(pieces=stream(EVENTS[:3])),
    "ended unfinished, of unknown length": Script(pieces=[UNKNOWN, *EVENTS[:3]], ending="close"),
    "cut in an event": Script(pieces=stream([*EVENTS[:3], EVENTS[3][:-5]])),
    "garbage": Script(pieces=stream([*EVENTS[:3], b"data: {nonsense\n\n"])),
    "no object": Script(pieces=stream([*EVENTS[:3], b"data: 17\n\n"])),
    "an error event": Script(pieces=stream([*EVENTS[:3], answers.event({"error": {"message": SECRET}})])),
    "an event without an end": Script(pieces=stream([*EVENTS[:3], b"data: ", *[b"x" * 1_000_000] * 9])),
}


@pytest.mark.parametrize("name", BREAKS)
def test_an_error_after_the_first_byte_ends_with_an_error_event(faulty: Gateway, upstream: Upstream, name: str) -> None:
    upstream.scripts["scripted"] = BREAKS[name]
    answer = faulty.chat(model="scripted", stream=True)
    assert answer.status_code == 200
    events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line.startswith("data: ")]
    *good, last = [json.loads(event) for event in events]
    assert [event["choices"][0]["delta"] for event in good] == [
        {"role": "assistant", "content": ""},
        {"content": "Hell"},
    ]
    assert last["error"]["type"] == "upstream_error"
    assert "[DONE]" not in answer.text
    assert_clean(answer.text)


def test_a_stream_that_falls_silent(faulty: Gateway, upstream: Upstream) -> None:
    upstream.scripts["impatient"] = Script(pieces=stream(EVENTS[:3], end=False), ending="hang")
    answer = faulty.chat(model="impatient", stream=True)
    last = json.loads(answer.text.rstrip().rpartition("data: ")[2])
    assert last["error"]["code"] == "upstream_timeout"
    assert upstream.calls[0].gone.wait(10)


def test_slow_is_not_broken(faulty: Gateway, upstream: Upstream) -> None:
    """Each piece comes in time, the whole takes longer than any single wait allows."""
    upstream.scripts["impatient"] = Script(pieces=stream(EVENTS), pause_s=0.1)
    answer = faulty.chat(model="impatient", stream=True)
    assert answer.text.endswith("data: [DONE]\n\n")
    assert len(EVENTS) * 0.1 > 0.4


def test_odd_figures_do_no_harm(faulty: Gateway, upstream: Upstream) -> None:
    for count in (-5, 3.7, 10**9, None):
        usage = {"prompt_tokens": count, "completion_tokens": count}
        upstream.scripts["scripted"] = Script(pieces=[whole(answers.compact({"choices": [], "usage": usage}))])
        answer = faulty.chat(model="scripted")
        assert answer.status_code == 200
        assert answer.json()["usage"] == usage
    assert faulty.metric("polyculture_tokens_total", model="scripted") >= 10**9


def test_comments_that_go_on_for_longer_than_an_answer_may_take_to_begin_are_passed_on(
    faulty: Gateway, upstream: Upstream
) -> None:
    sent = [b": busy\n\n"] * 6 + EVENTS
    upstream.scripts["impatient"] = Script(pieces=stream(sent), pause_s=0.1)
    answer = faulty.chat(model="impatient", stream=True)
    assert answer.status_code == 200
    assert answer.content.startswith(b": busy\n\n" * 6 + b"data: ")
    assert answer.content.endswith(b"data: [DONE]\n\n")
