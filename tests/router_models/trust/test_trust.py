"""Who is believed: honest people soon, those who are set on something ever less, and nobody more than their part."""

from __future__ import annotations

import numpy as np
import pytest

from router_models.suspicion import Suspicion
from router_models.trust import Claim, Trust
from router_models.trust.sources import PROOF
from tests.router_models.trust.people import Habit, careless, graded, honest, hostile, inverted, strict, told


def mixed() -> dict[str, Habit]:
    good: dict[str, Habit] = {f"k/honest-{n}": honest for n in range(12)}
    return good | {f"k/hostile-{n}": hostile for n in range(3)}


def test_hostile_sources_are_found_out_and_honest_ones_are_not() -> None:
    trust = Trust()
    found = told(trust, mixed(), rounds=40)
    for name, verdicts in found.items():
        withheld = [verdict.reason for verdict in verdicts[-10:]]
        assert withheld == (["dishonest"] * 10 if "hostile" in name else [None] * 10)
    assert all((trust.honesty(name) < 0.03) is ("hostile" in name) for name in found)
    assert trust.bands() == {"new": 0, "trusted": 12, "doubted": 0, "quarantined": 3}


@pytest.mark.parametrize("habit", [careless, graded, strict])
def test_noisy_graded_and_strict_raters_stay_believed(habit: Habit) -> None:
    trust = Trust()
    good: dict[str, Habit] = {f"k/{n}": honest for n in range(15)}
    found = told(trust, {**good, **{f"k/odd-{n}": habit for n in range(5)}}, rounds=40, seed=3)
    withheld = [verdict.reason is not None for each in found.values() for verdict in each]
    assert sum(withheld) <= 0.01 * len(withheld)
    assert np.mean([found[name][-1].weight for name in found if "odd" in name]) > 0.7


def test_people_of_one_topic_on_which_an_arm_is_bad_are_not_taken_for_a_campaign() -> None:
    """The policy does not know of the topic."""
    trust, chance = Trust(), np.random.default_rng(1)
    found = []
    for number in range(1200):
        source, arm = number % 20, str(chance.choice(["a", "b"]))
        worth = 0.3 if source < 4 and arm == "b" else 0.7
        answer = number.to_bytes(16, "big")
        found.append(trust.judge(Claim(f"k/{source}", arm, float(chance.random() < worth), 0.6, 60.0 * number, answer)))
    assert sum(verdict.reason is not None for verdict in found) <= 0.01 * len(found)


def test_who_says_the_opposite_is_found_out() -> None:
    trust = Trust()
    found = told(trust, {**{f"k/{n}": honest for n in range(10)}, "k/liar": inverted}, rounds=80)
    assert found["k/liar"][-1].reason == "dishonest"


def test_a_source_that_turns_is_found_out() -> None:
    trust = Trust()
    names = [f"k/{n}" for n in range(10)]
    told(trust, dict.fromkeys(names, honest), rounds=60)
    found = told(trust, {**dict.fromkeys(names[1:], honest), "k/0": hostile}, rounds=100, seed=1)
    assert found["k/0"][-1].reason == "dishonest"


def test_an_honest_newcomer_counts_half_at_first_and_soon_nearly_all() -> None:
    trust = Trust()
    (verdicts,) = told(trust, {"k/new": graded}, rounds=12).values()
    weights = [verdict.weight for verdict in verdicts]
    assert 0.3 < weights[0] < 0.5
    assert weights[-1] > 0.75


def test_nobody_is_taken_for_dishonest_after_three_outcomes() -> None:
    trust = Trust(suspicion=Suspicion(least=0.9))
    verdicts = [trust.judge(Claim("k/u", "a", 0.0, 0.97, 0.0, bytes([n]) * 16)) for n in range(20)]
    assert [verdict.reason for verdict in verdicts[:3]] == [None] * 3
    assert verdicts[-1].reason == "dishonest"


def test_no_more_than_so_many_an_hour() -> None:
    trust = Trust(suspicion=Suspicion(rate=10.0))
    verdicts = [trust.judge(Claim("k/u", "a", 1.0, 0.9, 0.0, bytes([n]) * 16)) for n in range(12)]
    assert [verdict.reason for verdict in verdicts] == [None] * 10 + ["rate"] * 2
    assert trust.judge(Claim("k/u", "a", 1.0, 0.9, 3600.0, bytes(16))).reason is None


def test_another_word_on_an_answer_counts_as_much_as_the_first_and_is_no_more_evidence() -> None:
    trust = Trust()
    first = trust.judge(Claim("k/u", "a", 1.0, 0.9, 0.0, bytes(16)))
    told(trust, {f"k/{n}": honest for n in range(10)}, rounds=10)
    known = trust.arrays()["sources/counts"].sum(axis=2)[:2, 0]
    again = trust.judge(Claim("k/u", "a", 0.0, 0.9, 0.0, bytes(16)))
    assert again[:2] == first[:2]
    assert (trust.arrays()["sources/counts"].sum(axis=2)[:2, 0] == known - [0.0, 1.0]).all()


def test_audits_tell_more_than_the_policys_guess() -> None:
    trust = Trust()
    told(trust, {f"k/{n}": honest for n in range(10)}, rounds=10)
    for n in range(12):
        trust.judge(Claim("k/u", "a", 1.0, 0.6, 0.0, bytes([n]) * 16))
    before = trust.honesty("k/u")
    for n in range(12):
        trust.audited(bytes([n]) * 16, 0.0)
    assert trust.honesty("k/u") < 0.03 < before
    trust.pardoned("k/u")
    assert trust.honesty("k/u") > 0.5


def test_an_audit_undone_by_another_leaves_nothing() -> None:
    trust = Trust()
    for n in range(4):
        trust.judge(Claim("k/u", "a", 0.0, 0.6, 0.0, bytes([n]) * 16))
    trust.audited(bytes(16), 0.0)
    proven, honesty = trust.arrays()["sources/counts"][PROOF], trust.honesty("k/u")
    trust.audited(bytes(16), 1.0)
    assert trust.honesty("k/u") < 0.8 * honesty
    trust.audited(bytes(16), 0.0)
    assert trust.arrays()["sources/counts"][PROOF] == pytest.approx(proven)
    assert trust.honesty("k/u") > 0.95 * honesty


def test_who_takes_an_audited_word_back_is_measured_by_what_it_says_now() -> None:
    lying, corrected, fair = Trust(), Trust(), Trust()
    for trust, first, last in ((lying, 0.0, 0.0), (corrected, 0.0, 1.0), (fair, 1.0, 1.0)):
        for n in range(4):
            trust.judge(Claim("k/u", "a", first, 0.6, 0.0, bytes([n]) * 16))
            trust.audited(bytes([n]) * 16, 1.0)
            trust.judge(Claim("k/u", "a", last, 0.6, 0.0, bytes([n]) * 16))
        trust.review()
    assert lying.honesty("k/u") < 0.2 < 0.8 < corrected.honesty("k/u") == pytest.approx(fair.honesty("k/u"), rel=0.01)


def test_what_is_worth_an_audit_is_a_surprising_word_of_somebody_in_doubt() -> None:
    trust = Trust()
    told(trust, {f"k/{n}": honest for n in range(10)} | {"k/mallory": hostile}, rounds=10)
    trust.judge(Claim("k/new", "a", 0.0, 0.9, 0.0, b"surprising......"))
    trust.judge(Claim("k/new", "a", 1.0, 0.9, 0.0, b"as expected....."))
    trust.vouched(Claim("k", "b", 0.0, 0.9, 0.0, b"beyond doubt...."))
    found = {doubt.answer: doubt for doubt in trust.doubts(limit=200)}
    surprising, usual = found[b"surprising......"], found[b"as expected....."]
    assert (surprising.source, surprising.arm, surprising.reward) == ("k/new", "a", 0.0)
    assert surprising.worth > 5 * usual.worth
    assert b"beyond doubt...." not in found
    assert [doubt.worth for doubt in found.values()] == sorted((doubt.worth for doubt in found.values()), reverse=True)
    assert trust.doubts(limit=3) == list(found.values())[:3]
    trust.audited(surprising.answer, 1.0)
    assert surprising.answer not in {doubt.answer for doubt in trust.doubts(limit=200)}


def test_what_the_operator_said_of_an_answer_is_a_measure_for_others() -> None:
    agreed, contradicted = Trust(), Trust()
    for trust, said in ((agreed, 0.0), (contradicted, 1.0)):
        for n in range(8):
            trust.vouched(Claim("k", "a", said, 0.0, 0.0, bytes([n]) * 16))
            trust.judge(Claim("k/u", "a", 0.0, 0.5, 0.0, bytes([n]) * 16))
        trust.review()
    assert contradicted.honesty("k/u") < agreed.honesty("k/u")


def test_of_a_crowd_on_one_answer_the_latest_are_remembered() -> None:
    trust = Trust()
    for n in range(100):
        trust.judge(Claim(f"k/{n}", "a", 1.0, 0.9, 0.0, bytes(16)))
    assert trust.arrays()["hearings/voices"].tolist() == [f"k/{n}." for n in range(36, 100)]


def test_the_least_recently_heard_make_room() -> None:
    trust = Trust(suspicion=Suspicion(memory=3))
    for n in range(5):
        trust.judge(Claim(f"k/{n}", "a", 1.0, 0.9, 0.0, bytes(16)))
    assert set(trust.arrays()["sources/names"]) == {"k/2.", "k/3.", "k/4."}


@pytest.mark.parametrize(
    "wrong", [{"share": 0.6}, {"least": 1.0}, {"influence": 0.0}, {"probation": -1.0}, {"rate": 0.0}, {"memory": 0}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="is"):
        Suspicion(**wrong)  # type: ignore[arg-type]
