"""Who is believed: honest people soon, those who are set on something ever less, and nobody more than their part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_models.suspicion import Suspicion
from router_models.trust import Claim, Trust, Verdict

QUALITY = {"a": 0.75, "b": 0.55, "c": 0.3}

Habit = Callable[[str, float, np.random.Generator], float]


def honest(arm: str, quality: float, chance: np.random.Generator) -> float:
    return float(chance.random() < quality)


def hostile(arm: str, quality: float, chance: np.random.Generator) -> float:
    """Praises the worst and runs the best down."""
    return {"a": 0.0, "c": 1.0}.get(arm, honest(arm, quality, chance))


def inverted(arm: str, quality: float, chance: np.random.Generator) -> float:
    return 1.0 - honest(arm, quality, chance)


def careless(arm: str, quality: float, chance: np.random.Generator) -> float:
    """Says the opposite one time in ten."""
    said = honest(arm, quality, chance)
    return 1.0 - said if chance.random() < 0.1 else said


def graded(arm: str, quality: float, chance: np.random.Generator) -> float:
    return float(np.clip(chance.normal(quality, 0.1), 0.0, 1.0))


def told(trust: Trust, habits: dict[str, Habit], *, rounds: int, seed: int = 0) -> dict[str, list[Verdict]]:
    """Everyone rates answers in turn; the policy knows every arm's worth."""
    chance = np.random.default_rng(seed)
    found: dict[str, list[Verdict]] = {name: [] for name in habits}
    for number in range(rounds):
        for name, habit in habits.items():
            arm = str(chance.choice(list(QUALITY)))
            answer = number.to_bytes(8, "big") + abs(hash(name)).to_bytes(8, "big")
            reward = habit(arm, QUALITY[arm], chance)
            found[name].append(trust.judge(Claim(name, arm, reward, QUALITY[arm], number * 60.0, answer)))
    return found


def mixed() -> dict[str, Habit]:
    good: dict[str, Habit] = {f"k/honest-{n}": honest for n in range(12)}
    return good | {f"k/hostile-{n}": hostile for n in range(3)}


def test_hostile_sources_are_found_out_and_honest_ones_are_not() -> None:
    trust = Trust()
    found = told(trust, mixed(), rounds=25)
    for name, verdicts in found.items():
        withheld = [verdict.reason for verdict in verdicts[-10:]]
        if "hostile" in name:
            assert withheld == ["dishonest"] * 10
            assert trust.honesty(name) < 0.05
        else:
            assert withheld == [None] * 10
    believed = [trust.honesty(name) > 0.8 for name in found if "hostile" not in name]
    assert sum(believed) >= 10


@pytest.mark.parametrize("habit", [careless, graded])
def test_noisy_and_graded_raters_stay_believed(habit: Habit) -> None:
    trust = Trust()
    found = told(trust, {f"k/{n}": habit for n in range(20)}, rounds=25, seed=3)
    verdicts = [verdict for each in found.values() for verdict in each]
    assert sum(verdict.reason is not None for verdict in verdicts) <= 0.01 * len(verdicts)
    assert np.mean([verdict.weight for each in found.values() for verdict in each[-5:]]) > 0.7


def test_who_says_the_opposite_is_found_out() -> None:
    trust = Trust()
    found = told(trust, {**{f"k/{n}": honest for n in range(10)}, "k/liar": inverted}, rounds=60)
    assert found["k/liar"][-1].reason == "dishonest"


def test_a_source_that_turns_is_found_out_soon() -> None:
    trust = Trust()
    names = [f"k/{n}" for n in range(10)]
    told(trust, dict.fromkeys(names, honest), rounds=60)
    found = told(trust, {**dict.fromkeys(names[1:], honest), "k/0": hostile}, rounds=25, seed=1)
    assert any(verdict.reason == "dishonest" for verdict in found["k/0"])


def test_an_honest_newcomer_counts_half_at_first_and_soon_nearly_all() -> None:
    trust = Trust()
    (verdicts,) = told(trust, {"k/new": graded}, rounds=8).values()
    weights = [verdict.weight for verdict in verdicts]
    assert 0.3 < weights[0] < 0.5
    assert weights[-1] > 0.75


def test_no_more_than_so_many_an_hour() -> None:
    trust = Trust(suspicion=Suspicion(rate=10.0))
    verdicts = [trust.judge(Claim("k/u", "a", 1.0, 0.9, 0.0, bytes([n]) * 16)) for n in range(12)]
    assert [verdict.reason for verdict in verdicts] == [None] * 10 + ["rate"] * 2
    assert trust.judge(Claim("k/u", "a", 1.0, 0.9, 3600.0, bytes(16))).reason is None


def test_no_source_holds_more_than_its_part_of_an_arms_evidence() -> None:
    trust = Trust(suspicion=Suspicion(influence=0.25, rate=1e9))
    for n in range(40):
        trust.vouched(Claim("k", "a", 1.0, 0.0, 0.0, n.to_bytes(16, "big")))
    weights = [trust.judge(Claim("k/u", "a", 1.0, 0.9, 0.0, bytes([n]) * 16)).weight for n in range(60)]
    assert sum(weights) == pytest.approx((40 + sum(weights)) / 4, rel=0.1)


def test_audits_tell_more_than_the_policys_guess() -> None:
    trust = Trust()
    for n in range(5):
        trust.judge(Claim("k/u", "a", 1.0, 0.6, 0.0, bytes([n]) * 16))
    before = trust.honesty("k/u")
    for n in range(5):
        trust.audited(bytes([n]) * 16, 0.0)
    assert trust.honesty("k/u") < 0.05 < before
    trust.pardoned("k/u")
    assert trust.honesty("k/u") > 0.05


def test_what_the_operator_said_of_an_answer_is_a_measure_for_others() -> None:
    agreed, contradicted = Trust(), Trust()
    for trust, said in ((agreed, 0.0), (contradicted, 1.0)):
        for n in range(4):
            trust.vouched(Claim("k", "a", said, 0.0, 0.0, bytes([n]) * 16))
            trust.judge(Claim("k/u", "a", 0.0, 0.5, 0.0, bytes([n]) * 16))
    assert contradicted.honesty("k/u") < agreed.honesty("k/u")


def test_the_least_recently_heard_make_room() -> None:
    trust = Trust(suspicion=Suspicion(memory=3))
    for n in range(5):
        trust.judge(Claim(f"k/{n}", "a", 1.0, 0.9, 0.0, bytes(16)))
    assert list(trust.sources) == ["k/2", "k/3", "k/4"]


claims = st.builds(
    Claim,
    source=st.sampled_from([f"k/{n}" for n in range(6)]),
    arm=st.sampled_from(["a", "b", "c"]),
    reward=st.floats(0, 1),
    expected=st.floats(-0.5, 1.5),
    at=st.floats(0, 1e9),
    answer=st.integers(0, 9).map(lambda n: n.to_bytes(16, "big")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(claims, max_size=40), st.lists(claims, max_size=20))
def test_a_restored_trust_judges_as_the_one_that_was_saved(before: list[Claim], after: list[Claim]) -> None:
    trust = Trust(suspicion=Suspicion(memory=4))
    for claim in before:
        verdict = trust.judge(claim)
        assert 0.0 <= verdict.weight <= 1.0
    again = Trust(suspicion=Suspicion(memory=4))
    again.restore(trust.arrays())
    for claim in after:
        assert trust.judge(claim) == again.judge(claim)
        trust.audited(claim.answer, claim.reward)
        again.audited(claim.answer, claim.reward)
    assert all(0.0 <= trust.honesty(f"k/{n}") <= 1.0 for n in range(6))
    one, other = trust.arrays(), again.arrays()
    assert all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    "wrong", [{"share": 0.6}, {"least": 1.0}, {"influence": 0.0}, {"probation": -1.0}, {"rate": 0.0}, {"memory": 0}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="is"):
        Suspicion(**wrong)  # type: ignore[arg-type]


def test_arrays_that_do_not_fit_are_refused() -> None:
    trust = Trust()
    told(trust, {"k/a": honest}, rounds=3)
    arrays = dict(trust.arrays())
    arrays["mass"] = arrays["mass"][:-1]
    with pytest.raises(ValueError, match="fit"):
        Trust().restore(arrays)
