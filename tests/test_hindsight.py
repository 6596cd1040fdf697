"""``polyculture router evaluate``, on logs that the gateway's own parts have written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.controls import Controls
from gateway.database import begin, connect
from gateway.events import ArmRemoved, ArmSet, FeedbackExcluded, LineageStarted, PolicyTuned, doubles
from gateway.hindsight import setting
from gateway.judgement import Judgement
from gateway.schema import events
from gateway.transaction import Record
from tests.support.served import ARMS, BEST, DIMENSIONS, Served

Evaluate = Callable[..., Result]


@pytest.fixture
def evaluate(tmp_path: Path) -> Evaluate:
    """Run the command on the data in ``tmp_path``."""

    def run(*arguments: str) -> Result:
        environment = {"POLYCULTURE_DATA_DIR": str(tmp_path), "COLUMNS": "200"}
        return CliRunner().invoke(main, ["router", "evaluate", *arguments], env=environment)

    return run


def lines(result: Result) -> dict[str, str]:
    return {line[:18].strip(): line[18:].strip() for line in result.output.splitlines()}


def test_a_policy_that_plays_the_best_model_is_found_to_earn_what_that_earns(
    tmp_path: Path, evaluate: Evaluate
) -> None:
    served = Served()
    for _ in range(600):
        served.round()
    served.write(tmp_path)
    told = evaluate("--policy", "fixed", "--set", "model=c", "--set", "exploration=0")
    assert told.exit_code == 0, told.output
    found = lines(told)
    assert found["decisions counted"] == "600"
    earned = float(found["as logged"].split()[0])
    assert earned == pytest.approx(np.mean([0.3, 0.5, 0.8]), abs=0.06)
    value, _, _, low, _, high = found["fixed"].split()
    assert float(low) <= 0.8 <= float(high.rstrip(")"))
    assert float(value) == pytest.approx(0.8, abs=0.08)
    assert 100 < float(found["effective sample"]) < 300
    assert float(found["largest weight"]) == pytest.approx(3.0)


def test_the_log_s_own_policy_would_have_done_what_it_did() -> None:
    served = Served(policy="linucb", seed=1)
    decisions = [served.round() for _ in range(200)]
    found = served.replayed("linucb").decisions()
    assert found is not None
    assert np.array_equal(found.target, found.propensities)
    assert [ARMS[place] for place in found.chosen] == [decision.chosen for decision in decisions]
    other = served.replayed("linucb", exploration=0.5).decisions()
    assert other is not None
    assert other.target.min() == pytest.approx(0.5 / 3)


def test_a_candidate_never_sees_an_outcome_before_it_is_asked() -> None:
    served, altered = Served(seed=2), Served(seed=2)
    for number in range(60):
        served.round()
        decision = altered.request()
        altered.answer(decision.chosen)
        reward = float(altered.rng.random() < BEST[decision.chosen])
        altered.feedback(decision, reward if number < 40 else 1.0 - reward)
    one, other = served.replayed("lints").decisions(), altered.replayed("lints").decisions()
    assert one is not None
    assert other is not None
    assert np.array_equal(one.target[:41], other.target[:41])
    assert not np.array_equal(one.target[41:], other.target[41:])


def test_forced_decisions_fallbacks_and_the_like_never_enter() -> None:
    served = Served(seed=3)
    for _ in range(5):
        served.round()
    forced = served.request()
    served.log[-1] = ("default", served.subject, None, msgspec.structs.replace(forced, reason="forced", features=b""))
    served.answer(forced.chosen, drawn=False)
    served.feedback(forced, 1.0)
    fallback = served.request()
    served.answer(next(name for name in ARMS if name != fallback.chosen))
    served.feedback(fallback, 1.0)
    served.answer(served.request().chosen)  # and no feedback
    faulty = served.request()
    served.feedback(faulty, 0.0, source=f"implicit:error:{faulty.chosen}")
    hindsight = served.replayed("random")
    found = hindsight.decisions()
    assert found is not None
    assert len(found) == 5
    assert hindsight.left_out == {"forced": 1, "answered by a fallback": 1, "without feedback": 2}


def test_decisions_that_explored_nothing_are_left_out_and_those_without_a_choice_are_not() -> None:
    served = Served(seed=4, policy="linucb")
    for _ in range(3):
        served.round()
    served.feedback(served.request(explore=False), 1.0)
    served.feedback(served.request(arms=["b"]), 1.0)
    hindsight = served.replayed("random")
    found = hindsight.decisions()
    assert found is not None
    assert len(found) == 4
    assert found.target[-1].tolist() == [0.0, 1.0, 0.0]
    assert hindsight.left_out == {"not explored": 1}


def test_what_a_source_says_last_counts_and_sources_are_averaged() -> None:
    served = Served(seed=5)
    decision = served.request()
    for source, reward in (("one", 0.0), ("two", 0.5), ("one", 1.0)):
        served.feedback(decision, reward, source=source)
    found = served.replayed("random").decisions()
    assert found is not None
    assert found.rewards.tolist() == [0.75]


def test_an_earlier_feature_space_is_left_out_and_a_model_that_left_does_no_harm() -> None:
    served = Served(seed=6)
    for _ in range(4):
        served.round()
    served.tell(LineageStarted(embedder="new", dimensions=DIMENSIONS, policy="random", parameters="{}"))
    for name in ARMS:
        served.tell(ArmSet(name=name, prior=doubles(np.zeros(DIMENSIONS)), digest=name))
    served.tell(PolicyTuned(parameters=json.dumps({"exploration": 0.2})))
    for _ in range(3):
        served.round()
    late = served.request()
    served.log.pop()
    served.tell(ArmRemoved(name="a"))
    served.log.append(("default", served.subject, None, late))  # chosen before, written after
    hindsight = served.replayed("linucb")
    found = hindsight.decisions()
    assert found is not None
    assert len(found) == 3
    assert hindsight.left_out == {"in an earlier feature space": 4, "with a model that has left": 1}


def test_one_tenant_can_be_asked_about_alone(tmp_path: Path, evaluate: Evaluate) -> None:
    served = Served(seed=7)
    for number in range(300):
        served.round(tenant="acme" if number % 2 else "default")
    served.write(tmp_path)
    assert lines(evaluate("--policy", "linucb", "--tenant", "acme"))["decisions counted"] == "150"
    assert lines(evaluate("--policy", "linucb"))["decisions counted"] == "300"


def test_too_little_is_refused_in_words(tmp_path: Path, evaluate: Evaluate) -> None:
    nothing = evaluate()
    assert nothing.exit_code == 1
    assert "there is no database in" in nothing.output
    served = Served(seed=8)
    for _ in range(99):
        served.round()
    served.write(tmp_path)
    refused = evaluate()
    assert refused.exit_code == 1
    assert "99 decisions can be counted, and an honest estimate takes at least 100" in refused.output


def test_what_cannot_be_asked_is_refused_in_words(tmp_path: Path, evaluate: Evaluate) -> None:
    for arguments, complaint in (
        (["--policy", "oracle"], "no policy is called 'oracle'"),
        (["--policy", "linucb", "--set", "courage=1"], "has no parameter 'courage'"),
        (["--set", "scale"], "not of the form name=value"),
        (["--set", "cap=2"], "cap is a share"),
    ):
        refused = evaluate(*arguments)
        assert refused.exit_code in (1, 2)
        assert complaint in refused.output
    Served().write(tmp_path)
    with connect(tmp_path).connect() as connection, begin(connection):
        connection.execute(events.update().where(events.c.seq == 2).values(kind="rollback"))
    refused = evaluate()
    assert refused.exit_code == 1
    assert "only a newer version knows" in refused.output


def test_as_json_it_judges_too(tmp_path: Path, evaluate: Evaluate) -> None:
    served = Served(seed=9)
    for _ in range(400):
        served.round()
    served.write(tmp_path)

    def judged(*arguments: str) -> Judgement:
        return msgspec.json.decode(evaluate("--json", *arguments).stdout, type=Judgement)

    best = judged("--policy", "fixed", "--set", "model=c", "--set", "exploration=0")
    worst = judged("--policy", "fixed", "--set", "model=a", "--set", "exploration=0")
    few = judged("--policy", "random", "--last", "90")
    assert (best.verdict, worst.verdict, few.verdict) == ("promote", "refuse", "undecided")
    assert best.difference is not None
    assert best.difference.low > 0
    assert (best.decisions, few.decisions, few.difference) == (400, 90, None)


def test_what_was_excluded_counts_for_nothing() -> None:
    served = Served(seed=10)
    decision = served.request()
    served.feedback(decision, 0.0, source="one")
    served.feedback(decision, 1.0, source="one")
    served.feedback(served.request(), 1.0, source="two")
    first, last = len(served.log) - 3, len(served.log)
    excluded = FeedbackExcluded(first=first, last=last, reason="revoked", sources=["one"])
    control = Record(last + 1, 0, excluded.kind, "default", None, None, excluded)
    hindsight = served.replayed("random", controls=Controls(records=[control]))
    found = hindsight.decisions()
    assert found is not None
    assert found.rewards.tolist() == [1.0]
    assert hindsight.left_out == {"without feedback": 1}


def test_settings_are_read_as_json_or_as_text() -> None:
    assert setting("scale=0.4") == ("scale", 0.4)
    assert setting("cap=null") == ("cap", None)
    assert setting("model=gpt=4") == ("model", "gpt=4")
    with pytest.raises(ValueError, match="name=value"):
        setting("=1")
