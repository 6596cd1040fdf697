"""The probabilities that are told and logged are those that choices are drawn with."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import stats

from gateway.events import Decision
from tests.conftest import Start
from tests.support.cards import card
from tests.support.upstream import Upstream

DRAWS = 2000

#: A sound gateway fails a test at this level once in a million runs.
LEVEL = 1e-6


def test_two_thousand_draws_of_one_prompt_match_their_logged_propensities(start: Start, upstream: Upstream) -> None:
    descriptions = {"one": "arithmetic", "two": "poetry", "three": "cooking", "four": "law", "five": "sums"}
    models = [card(name, upstream.url, description=text) for name, text in descriptions.items()]
    gateway = start({"models": models}, POLYCULTURE_FROZEN="true")
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: gateway.chat("What is 2 + 2?"), range(DRAWS)))
    told = {answer.headers["x-polyculture-decision-id"]: answer.headers for answer in answers}
    records = gateway.records(Decision)
    assert len(records) == len(told) == DRAWS

    expected = dict.fromkeys(descriptions, 0.0)
    chosen: Counter[str] = Counter()
    draws = []
    for record in records:
        decision = record.event
        assert isinstance(decision, Decision)
        assert record.subject is not None
        probabilities = np.frombuffer(decision.probabilities, "<f8")
        assert abs(probabilities.sum() - 1) < 1e-12
        assert (
            decision.arms[int(np.searchsorted(np.cumsum(probabilities), decision.draw, side="right"))]
            == decision.chosen
        )
        headers = told[record.subject.hex()]
        assert headers["x-polyculture-model"] == decision.chosen
        assert headers["x-polyculture-propensity"] == f"{decision.propensity():.6g}"
        for arm, probability in zip(decision.arms, probabilities, strict=True):
            expected[arm] += probability
        chosen[decision.chosen] += 1
        draws.append(decision.draw)
    statistic = sum((chosen[arm] - expected[arm]) ** 2 / expected[arm] for arm in expected)
    assert stats.chi2.sf(statistic, len(expected) - 1) > LEVEL
    assert stats.kstest(draws, "uniform").pvalue > LEVEL
    assert len(set(draws)) == DRAWS


def test_every_eligible_model_keeps_its_floor(start: Start, upstream: Upstream) -> None:
    models = [card(name, upstream.url) for name in ("one", "two", "three")]
    gateway = start({"models": models, "routing": {"exploration": 0.06, "share_cap": None}})
    for _ in range(40):
        answer = gateway.chat()
        score = float(answer.headers["x-polyculture-model"] == "one")
        gateway.feedback({"completion_id": answer.json()["id"], "score": score})
    probabilities = gateway.probabilities()
    assert max(probabilities, key=probabilities.__getitem__) == "one"
    assert min(probabilities.values()) >= 0.06 / 3 - 1e-12
