"""Upstreams that count what nobody can believe: answers pass, and the gateway goes on, also after a restart."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Start
from tests.support import answers
from tests.support.cards import card
from tests.support.gateway import ADMIN_KEY, Gateway, question
from tests.support.upstream import Script, Upstream, whole

HUGE = [10**9 + 1, 10**15, 10**18, 10**19, 10**30, 1e300]

ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}


def counting(count: Any) -> Script:
    """An answer of so many tokens, if one believes it."""
    usage = {"prompt_tokens": count, "completion_tokens": count, "prompt_tokens_details": {"cached_tokens": count}}
    return Script(pieces=[whole(answers.completion({"model": "m"}, usage=usage))])


def spent(gateway: Gateway) -> dict[str, Any]:
    answer = gateway.client.get("/admin/v1/spend", headers=ADMIN, params={"by": "model"})
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["data"]
    return dict(found)


def test_nobody_believes_a_billion_tokens_and_everything_goes_on(start: Start, upstream: Upstream) -> None:
    priced = card("scripted", upstream.url, price={"input": 1e6, "output": 1e6, "cached_input": 0})
    gateway = start({"models": [priced]})
    for count in HUGE:
        upstream.scripts["scripted"] = counting(count)
        answer = gateway.chat(model="scripted")
        assert answer.status_code == 200
        told = {"completion_id": answer.json()["id"], "score": 1.0}
        assert gateway.feedback(told).status_code == 200
    found = spent(gateway)
    assert found["requests"] == found["estimated"] == len(HUGE)
    assert 0 < found["input_tokens"] < 1000 * len(HUGE)
    gateway.stop()
    again = start({"models": [priced]})
    assert spent(again) == found
    assert again.chat(model="scripted").status_code == 200


@pytest.mark.parametrize("count", [*HUGE, -5, 3.7])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses", "/v1/completions"])
def test_other_dialects_pass_odd_figures_too(faulty: Gateway, upstream: Upstream, path: str, count: Any) -> None:
    upstream.scripts["scripted"] = counting(count)
    asked: dict[str, Any] = {
        "/v1/messages": {**question("Hello", model="scripted"), "max_tokens": 9},
        "/v1/responses": {"model": "scripted", "input": "Hello"},
        "/v1/completions": {"model": "scripted", "prompt": "Hello"},
    }[path]
    answer = faulty.client.post(path, json=asked)
    assert answer.status_code == 200, answer.text
