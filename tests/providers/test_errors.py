"""Whatever goes wrong at a provider becomes the status that it stands for, once, and without the provider's key."""

from __future__ import annotations

import pytest

from tests.providers.conftest import MARKER, MODELS
from tests.support import answers
from tests.support.gateway import Gateway, eventually
from tests.support.providers import Providers, told
from tests.support.upstream import Script, stream, whole

each_model = pytest.mark.parametrize("name", MODELS)
STREAMING = pytest.mark.parametrize("streaming", [False, True])


@pytest.fixture(autouse=True)
def well(request: pytest.FixtureRequest, provided: Gateway, providers: Providers) -> None:
    """No model rests for what another test had its provider do."""
    name = request.node.callspec.params["name"] if hasattr(request.node, "callspec") else "claude"
    provided.recovered(name, f"hasty-{name}")
    providers.clear()


def served(name: str) -> str:
    return MODELS[name][0].partition("/")[2]


def refusal(name: str, status: int, **headers: str) -> Script:
    """An error in the provider's own shape; this one quotes the key, as some do."""
    error = {"message": f'It says "no" to {MARKER}.', "type": "invalid_request_error", "code": status}
    return Script(pieces=[whole(answers.compact({"type": "error", "error": error}), status=status, **headers)])


@each_model
@STREAMING
@pytest.mark.parametrize(
    ("status", "expected"), [(400, 400), (401, 502), (404, 502), (422, 422), (429, 429), (500, 502), (503, 502)]
)
def test_statuses(
    provided: Gateway, providers: Providers, name: str, status: int, expected: int, streaming: bool
) -> None:
    providers.scripts[served(name)] = refusal(name, status, retry_after="7")
    answer = provided.chat(model=name, stream=streaming)
    assert answer.status_code == expected, answer.text
    assert MARKER not in answer.text
    assert len(providers.calls) == 1
    if expected in (400, 422):
        assert 'It says "no" to [key].' in answer.json()["error"]["message"]
    if status == 429:
        assert answer.headers["retry-after"] == "7"


@each_model
@STREAMING
def test_silence(provided: Gateway, providers: Providers, name: str, streaming: bool) -> None:
    providers.scripts[served(name)] = Script(pieces=[], ending="hang")
    answer = provided.chat(model=f"hasty-{name}", stream=streaming)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert eventually(lambda: all(call.gone.is_set() for call in providers.calls))
    assert len(providers.calls) == 1


@each_model
def test_silence_after_the_streams_head(provided: Gateway, providers: Providers, name: str) -> None:
    providers.scripts[served(name)] = Script(pieces=stream([], end=False), ending="hang")
    answer = provided.chat(model=f"hasty-{name}", stream=True)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert eventually(lambda: all(call.gone.is_set() for call in providers.calls))


@each_model
@STREAMING
def test_a_connection_that_breaks(provided: Gateway, providers: Providers, name: str, streaming: bool) -> None:
    providers.scripts[served(name)] = Script(pieces=[], ending="reset")
    answer = provided.chat(model=name, stream=streaming)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_failed")
    assert len(providers.calls) <= 2  # litellm sends once more where a connection ends without a word


def begun(name: str) -> list[bytes]:
    """How the provider's stream begins."""
    asked = {"model": served(name), "stream": True, "contents": []}
    head = b"POST /v1beta/models/x:streamGenerateContent " if name == "gemini" else b"POST /v1/messages "
    spoken = Providers().speak(head, asked) if name in ("gemini", "claude") else None
    if spoken is not None:
        return list(spoken.pieces[: 2 if name == "gemini" else 4])
    return stream(answers.events(asked)[:4], end=False)


@each_model
@pytest.mark.parametrize(("ending", "words"), [("reset", "broke off"), ("hang", "fell silent")])
def test_a_stream_that_breaks_off(provided: Gateway, providers: Providers, name: str, ending: str, words: str) -> None:
    providers.scripts[served(name)] = Script(pieces=begun(name), ending="reset" if ending == "reset" else "hang")
    answer = provided.chat(model=f"hasty-{name}", stream=True)
    assert answer.status_code == 200
    assert '"content":"Hel' in answer.text
    assert words in answer.text
    assert "[DONE]" not in answer.text


def test_an_error_that_a_provider_tells_in_its_stream(provided: Gateway, providers: Providers) -> None:
    overloaded = told("error", error={"type": "overloaded_error", "message": f"Overloaded, {MARKER}"})
    providers.scripts[served("claude")] = Script(pieces=[*begun("claude"), *stream([overloaded])[1:]])
    answer = provided.chat(model="claude", stream=True)
    assert "broke off" in answer.text
    assert MARKER not in answer.text


def test_garbage(provided: Gateway, providers: Providers) -> None:
    providers.scripts[served("claude")] = Script(pieces=[whole(b"<html>Oh no</html>", kind="text/html")])
    assert provided.chat(model="claude").status_code == 502


def test_a_client_that_leaves_ends_the_providers_stream(provided: Gateway, providers: Providers) -> None:
    pieces = [*begun("claude"), *[begun("claude")[-1]] * 1000]
    providers.scripts[served("claude")] = Script(pieces=pieces, pause_s=0.05)
    body = {"model": "claude", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    with provided.client.stream("POST", "/v1/chat/completions", json=body) as answer:
        next(answer.iter_bytes())
    assert providers.wait_for_call(served("claude")).gone.wait(10)
