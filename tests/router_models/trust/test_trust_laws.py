"""What always holds: names are of no consequence, what is saved goes on, and weights are parts of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_models.suspicion import Suspicion
from router_models.trust import Claim, Trust, Verdict

SOURCES = ["k/0", "k/0\0", "k/2", "", "k/é", "k."]
SUSPICION = Suspicion(memory=4)

claims = st.lists(
    st.builds(
        Claim,
        source=st.sampled_from(SOURCES),
        arm=st.sampled_from(["a", "b", "c"]),
        reward=st.floats(0, 1),
        expected=st.floats(-0.5, 1.5),
        at=st.floats(0, 1e9),
        answer=st.integers(0, 9).map(lambda n: n.to_bytes(16, "big")),
        weight=st.floats(0, 1),
    ),
    max_size=50,
)


def judged(trust: Trust, said: list[Claim]) -> list[Verdict]:
    """Everything that can be done with an outcome, by turns."""
    found = []
    for number, claim in enumerate(said):
        found.append(trust.vouched(claim) if number % 7 == 3 else trust.judge(claim))
        if number % 5 == 4:
            trust.audited(claim.answer, claim.reward)
        if number % 11 == 10:
            trust.pardoned(claim.source)
    return found


def same(one: Trust, other: Trust) -> bool:
    first, second = one.arrays(), other.arrays()
    alike = [np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f") for name in first]
    return first.keys() == second.keys() and all(alike)


@settings(max_examples=60, deadline=None)
@given(claims, claims)
def test_what_was_restored_judges_as_what_was_saved(before: list[Claim], after: list[Claim]) -> None:
    trust, again = Trust(suspicion=SUSPICION), Trust(suspicion=SUSPICION)
    judged(trust, before)
    again.restore(trust.arrays())
    assert judged(trust, after) == judged(again, after)
    assert same(trust, again)


@settings(max_examples=60, deadline=None)
@given(claims)
def test_weights_and_honesty_are_parts_of_one(said: list[Claim]) -> None:
    trust = Trust(suspicion=SUSPICION)
    verdicts = judged(trust, said)
    assert all(0.0 <= verdict.weight <= 1.0 and (verdict.reason is None or not verdict.weight) for verdict in verdicts)
    assert all(0.0 <= trust.honesty(name) <= 1.0 for name in SOURCES)
    assert sum(trust.bands().values()) == len(trust.arrays()["sources/names"]) <= SUSPICION.memory


@settings(max_examples=40, deadline=None)
@given(claims, st.permutations(SOURCES))
def test_names_are_of_no_consequence(said: list[Claim], names: list[str]) -> None:
    renamed = dict(zip(SOURCES, names, strict=True))
    one, other = Trust(suspicion=SUSPICION), Trust(suspicion=SUSPICION)
    others = [claim._replace(source=renamed[claim.source]) for claim in said]
    assert judged(one, said) == judged(other, others)
    assert [one.honesty(name) for name in SOURCES] == [other.honesty(renamed[name]) for name in SOURCES]


@settings(max_examples=40, deadline=None)
@given(claims, st.sampled_from(SOURCES))
def test_an_outcome_that_is_out_of_time_leaves_no_trace_on_others(said: list[Claim], silent: str) -> None:
    """A source past its rate is not heard at all: others are judged as if it had never spoken."""
    rare = Suspicion(rate=1e-9, memory=8)
    one, other = Trust(suspicion=rare), Trust(suspicion=rare)
    for trust in (one, other):
        trust.judge(Claim(silent, "a", 1.0, 0.5, 0.0, bytes([255]) * 16))
    heard = [claim for claim in said if claim.source != silent]
    for trust, listened in ((one, said), (other, heard)):
        for claim in listened:
            trust.judge(claim)
    assert [one.honesty(name) for name in SOURCES] == [other.honesty(name) for name in SOURCES]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.2, 0.5), st.floats(0.0, 0.9))
def test_among_many_no_source_holds_more_than_its_part(seed: int, part: float, flood: float) -> None:
    """One of twelve sources speaks more than all others."""
    trust, chance = Trust(suspicion=Suspicion(influence=part, rate=1e9)), np.random.default_rng(seed)
    held: dict[int, float] = {}
    for number in range(300):
        source = number if number < 12 else 0 if chance.random() < flood else int(chance.integers(12))
        weight = trust.judge(Claim(f"k/{source}", "a", 1.0, 0.9, 0.0, number.to_bytes(16, "big"))).weight
        if weight:
            held = {name: 0.998 * worth for name, worth in held.items()}
            held[source] = held.get(source, 0.0) + weight
            assert number < 12 or held[source] <= part * max(sum(held.values()), 20.0 + weight) + 1e-9


def test_arrays_that_do_not_fit_are_refused() -> None:
    trust = Trust()
    judged(trust, [Claim("k/a", "a", 1.0, 0.5, 0.0, bytes(16)), Claim("k/b", "b", 1.0, 0.5, 0.0, bytes(16))])
    sound = trust.arrays()
    wrong: dict[str, Any] = {
        "arms": sound["arms"][[0, 0]],
        "counts": np.array([np.nan, 0.0]),
        "sources/names": sound["sources/names"][[0, 0]],
        "sources/counts": sound["sources/counts"][:, :, :1],
        "sources/honesty": np.array([np.inf, 0.0]),
        "mixture/prevalence": np.array([0.9, 0.2]),
        "mixture/targets": sound["mixture/targets"] + 0.5,
        "hearings/answers": sound["hearings/answers"][:, :8],
        "hearings/heard": sound["hearings/heard"] + 7.0,
        "hearings/places": sound["hearings/places"] + 9,
        "influence/of": sound["influence/of"] + 9,
        "influence/held": sound["influence/held"] * np.nan,
    }
    for name, array in wrong.items():
        with pytest.raises(ValueError, match=r"fit|unique|finite|probabilities|wanted|known|in \[0"):
            Trust().restore({**sound, name: array})
    with pytest.raises(KeyError):
        Trust().restore({})
