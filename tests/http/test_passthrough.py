"""Moderations and audio are handed to the model that the client names, and come back as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from gateway.events import Answer, Decision
from tests.support import cards, gateway
from tests.support.gateway import KEY, Gateway, eventually
from tests.support.upstream import Script, Upstream, refusal, stream, whole

ACME = "pc-acme"
SOUND = b"RIFF\x00\xff\r\n--\r\n" * 50


def card(name: str, url: str, served: str, **fields: Any) -> dict[str, Any]:
    found = cards.card(name, url, **fields)
    return {**found, "upstream": {**found["upstream"], "model": served}}


@pytest.fixture(scope="module")
def passing(shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    url = shared_upstream.url
    models = [
        card("judge", url, "omni-moderation", endpoint="moderations", price={"input": 1.0}),
        card("scribe", url, "whisper-large-v3", endpoint="audio"),
        card("hasty", url, "hasty", endpoint="audio", first_byte_s=0.4, idle_s=0.4),
        card("talk", url, "talk"),
    ]
    tenants = [{"id": "acme", "key_env": "ACME_KEY", "models": ["talk", "judge"]}]
    home = tmp_path_factory.mktemp("passing")
    configuration = {"models": models, "tenants": tenants, "routing": {"retries": 0}}
    with gateway.launched(home, configuration, ACME_KEY=ACME) as running:
        yield running


@pytest.fixture
def client(passing: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{passing.url}/v1", api_key=KEY, max_retries=0, timeout=30) as client:
        yield client


def speak(passing: Gateway, model: str = "scribe", **fields: Any) -> httpx.Response:
    return passing.client.post("/v1/audio/speech", json={"model": model, "input": "Hello", "voice": "v", **fields})


def transcribe(passing: Gateway, *, path: str = "transcriptions", **fields: str) -> httpx.Response:
    files = {"file": ("a.wav", SOUND, "audio/wav")}
    return passing.client.post(f"/v1/audio/{path}", data=fields, files=files)


def test_moderations(client: openai.OpenAI, upstream: Upstream) -> None:
    answer = client.moderations.create(model="judge", input=["be kind", "kill"])
    assert [each.flagged for each in answer.results] == [False, True]
    assert answer.model == "omni-moderation"
    assert upstream.calls[-1].document == {"model": "omni-moderation", "input": ["be kind", "kill"]}


def test_speech(client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(model="scribe", input="Hello", voice="alloy") as answer:
        assert answer.headers["content-type"] == "audio/mpeg"
        assert answer.read() == b"Hello" * 1000


def test_transcriptions(client: openai.OpenAI, upstream: Upstream) -> None:
    answer = client.audio.transcriptions.create(model="scribe", file=("a.wav", SOUND), language="en")
    assert answer.text == f"{len(SOUND)} bytes, by whisper-large-v3"
    assert upstream.calls[-1].document == {"model": "whisper-large-v3", "file": SOUND, "language": b"en"}


def test_only_the_models_name_is_said_anew(passing: Gateway, upstream: Upstream) -> None:
    body = (
        b'--x-y\r\nContent-Disposition: form-data; name="file"; filename="\xc3\xa9.wav"\r\nX-Own: 1\r\n\r\n%s\r\n'
        b'--x-y\r\ncontent-disposition: form-data; name="model"\r\n\r\n%s\r\n--x-y--\r\nepilogue'
    )
    head = {"content-type": "multipart/form-data; boundary=x-y"}
    answer = passing.client.post("/v1/audio/translations", content=body % (SOUND, b"scribe"), headers=head)
    assert answer.status_code == 200, answer.text
    call = upstream.calls[-1]
    assert call.body == body % (SOUND, b"whisper-large-v3")
    assert call.header("content-type") == 'multipart/form-data; boundary="x-y"'
    assert KEY not in call.head.decode()


def test_answers_pass_untouched_as_they_come(passing: Gateway, upstream: Upstream) -> None:
    told = [b'data: {"type": "transcript.text.delta", "delta": "Hel"}\n\n', b"data: [DONE]\n\n"]
    upstream.scripts["whisper-large-v3"] = Script(pieces=stream(told))
    answer = transcribe(passing, model="scribe", stream="true")
    assert answer.content == b"".join(told)
    assert answer.headers["content-type"] == "text/event-stream"
    upstream.scripts["whisper-large-v3"] = Script(pieces=[whole(b"1\n00:00 --> 00:01\nHi", kind="text/plain")])
    assert transcribe(passing, model="scribe", response_format="srt").text.startswith("1\n00:00")


def test_it_is_logged_and_counted_as_a_forced_model(passing: Gateway) -> None:
    before = passing.metric("polyculture_requests_total", endpoint="audio", model="scribe", status="200")
    answer = speak(passing)
    assert answer.headers["x-polyculture-reason"] == "forced"
    assert (answer.headers["x-polyculture-model"], answer.headers["x-polyculture-propensity"]) == ("scribe", "1")
    name = answer.headers["x-polyculture-decision-id"]
    (decision,) = passing.events(Decision, about=name)
    (ended,) = eventually(lambda: passing.events(Answer, about=name))
    assert (decision.reason, decision.endpoint, decision.chosen, decision.drawn) == ("forced", "audio", "scribe", False)
    assert (ended.answered, ended.status) == ("scribe", 200)
    assert passing.metric("polyculture_requests_total", endpoint="audio", model="scribe", status="200") == before + 1
    assert passing.feedback({"decision_id": name, "thumb": "up"}).status_code == 200


@pytest.mark.parametrize("model", ["auto", "auto:cheap", None])
def test_nothing_is_routed(passing: Gateway, model: str | None) -> None:
    named = {} if model is None else {"model": model}
    for answer in (
        passing.client.post("/v1/moderations", json={"input": "Hi", **named}),
        passing.client.post("/v1/audio/speech", json={"input": "Hi", **named}),
        transcribe(passing, **named),
    ):
        error = answer.json()["error"]
        assert (answer.status_code, error["param"]) == (400, "model")
        assert "name the model" in error["message"]


def test_a_model_does_what_its_card_says_and_nothing_else(passing: Gateway) -> None:
    assert "does not serve audio" in speak(passing, "talk").json()["error"]["message"]
    assert "does not serve audio" in speak(passing, "judge").json()["error"]["message"]
    assert "does not serve chat" in passing.chat(model="scribe").json()["error"]["message"]
    assert speak(passing, "none").status_code == 404
    assert set(passing.probabilities()) == {"talk"}
    shown = {model["id"]: model.get("endpoint") for model in passing.client.get("/v1/models").json()["data"]}
    assert (shown["scribe"], shown["judge"]) == ("audio", "moderations")


def test_keys_and_tenants_hold_here_too(passing: Gateway) -> None:
    def status(model: str, key: str) -> int:
        body = {"model": model, "input": "Hi"}
        path = "/v1/moderations" if model == "judge" else "/v1/audio/speech"
        return passing.client.post(path, json=body, headers={"authorization": f"Bearer {key}"}).status_code

    assert (status("judge", "none"), status("judge", ACME), status("scribe", ACME)) == (401, 200, 404)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"model": "scribe"}', "application/json"),
        (b"", "multipart/form-data; boundary=b"),
        (b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nscribe', "multipart/form-data; boundary=b"),
    ],
)
def test_what_is_no_form_is_refused(passing: Gateway, body: bytes, kind: str) -> None:
    answer = passing.client.post("/v1/audio/transcriptions", content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize(("status", "expected"), [(400, 400), (413, 413), (429, 429), (500, 502)])
def test_errors(passing: Gateway, upstream: Upstream, status: int, expected: int) -> None:
    upstream.scripts["whisper-large-v3"] = refusal(status, "Because.", retry_after="3")
    answer = speak(passing)
    assert answer.status_code == expected
    assert answer.headers["x-polyculture-model"] == "scribe"
    assert answer.headers.get("retry-after") == ("3" if status == 429 else None)
    assert ("Because." in answer.text) == (status in (400, 413))


def test_silence(passing: Gateway, upstream: Upstream) -> None:
    upstream.scripts["hasty"] = Script(pieces=[], ending="hang")
    assert speak(passing, "hasty").status_code == 504


@pytest.mark.parametrize("ending", ["reset", "hang"])
def test_an_answer_that_breaks_off_is_never_taken_for_whole(passing: Gateway, upstream: Upstream, ending: Any) -> None:
    pieces = stream([b"sound" * 100], kind="audio/mpeg", end=False)
    upstream.scripts["hasty"] = Script(pieces=pieces, ending=ending)
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        speak(passing, "hasty")
    assert eventually(lambda: passing.events(Answer)[-1].status == (502 if ending == "reset" else 504))


def test_a_client_that_leaves_ends_it(passing: Gateway, upstream: Upstream) -> None:
    upstream.scripts["whisper-large-v3"] = Script(pieces=stream([b"sound"] * 500, kind="audio/mpeg"), pause_s=0.05)
    with passing.client.stream("POST", "/v1/audio/speech", json={"model": "scribe", "input": "Hi"}) as answer:
        next(answer.iter_bytes())
    assert upstream.wait_for_call("whisper-large-v3").gone.wait(10)
