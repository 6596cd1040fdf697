"""Feedback judged as it is folded: what an end user's word counts depends on what counts of all others', and on nothing
else.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.archive import contents, difference, pack, unpack
from gateway.controls import Controls
from gateway.events import EVERYONE, Audited, Event, Feedback, FeedbackExcluded, TrustTuned
from gateway.fold import Fold
from gateway.npz import Contents
from gateway.transaction import Record
from gateway.trust.judgement import Judges
from gateway.trust.standing import bands, withheld
from router_models import make
from router_models.suspicion import Suspicion
from tests.log import samples
from tests.log.samples import over

ARMS = ["ant", "bee", "cat"]
SOURCES = ["key", "key/ann", "key/bob", "key/mallory", "other/cat", "implicit:error"]

#: Sources are withheld soon, so that short logs show it.
DISTRUSTFUL = Suspicion(least=0.9, rate=20.0)


class Said(NamedTuple):
    """What somebody says of an answer; an admin where there is no ``source``."""

    source: str | None
    answer: int
    reward: float


words = st.lists(
    st.builds(
        Said,
        source=st.sampled_from([*SOURCES, *SOURCES, None]),
        answer=st.integers(0, 30),
        reward=st.sampled_from([0.0, 0.25, 1.0]),
    ),
    min_size=10,
    max_size=80,
)


def history(said: Sequence[Said], *, suspicion: Suspicion | None = DISTRUSTFUL) -> list[Record]:
    """A log as the gateway writes it."""
    told = "" if suspicion is None else json.dumps(suspicion.parameters)
    events = [samples.started(), *map(samples.arm, ARMS), TrustTuned(parameters=told, keys=False)]
    found = [samples.record(seq, event) for seq, event in enumerate(events, start=1)]
    before: dict[tuple[str, int], float] = {}
    for seq, each in enumerate(said, start=len(found) + 1):
        event: Event = Audited(each.reward)
        if each.source is not None:
            previous = before.get((each.source, each.answer))
            before[each.source, each.answer] = each.reward
            event = samples.feedback(ARMS[each.answer % 3], each.reward, seed=each.answer, previous=previous)
        subject = each.answer.to_bytes(16, "big")
        found.append(Record(seq, seq * 1_000_000, event.kind, samples.TENANT, subject, each.source, event))
    return found


def known(fold: Fold) -> Contents:
    """All of the tenant's state but the list of what does not count."""
    own = fold.states.get(samples.TENANT)
    arrays = {} if own is None else own.arrays()
    return {name: array for name, array in arrays.items() if not name.startswith("withheld/")}


def without(records: Sequence[Record], sources: Collection[str]) -> list[Record]:
    return [each for each in records if not (each.kind == Feedback.kind and each.source in sources)]


@settings(max_examples=60, deadline=None)
@given(words, st.sets(st.sampled_from(SOURCES), min_size=1, max_size=3))
def test_who_is_revoked_was_never_heard(said: list[Said], gone: set[str]) -> None:
    records = history(said)
    event = FeedbackExcluded(1, len(records), "revoked", sorted(gone))
    control = Record(len(records) + 1, 0, event.kind, EVERYONE, None, None, event)
    revoked = over(records, controls=Controls(records=[control]))
    clean = over(without(records, gone))
    if samples.TENANT in clean.states:
        assert difference(known(revoked), known(clean)) == 0
    assert withheld(revoked) == withheld(clean)
    assert bands(revoked) == bands(clean)


@settings(max_examples=40, deadline=None)
@given(words, st.data())
def test_a_fold_that_was_saved_on_the_way_goes_on_alike(said: list[Said], data: st.DataObject) -> None:
    records = history(said)
    half = data.draw(st.integers(4, len(records)))
    again = unpack(pack(contents(over(records[:half]))), make_policy=make)
    again.govern(Controls())
    for record in records[half:]:
        assert again.apply(record)
    assert difference(contents(again), contents(over(records))) == 0


@settings(max_examples=30, deadline=None)
@given(words)
def test_where_nobody_is_judged_everything_counts(said: list[Said]) -> None:
    records = history(said, suspicion=None)
    fold = over(records)
    assert withheld(fold) == 0
    assert fold.lessons == sum(each.kind == Feedback.kind for each in records)


def test_end_users_are_judged_and_keys_where_that_is_said() -> None:
    judges = Judges(Suspicion())
    assert [judges.doubts(source) for source in SOURCES] == [False, True, True, True, True, False]
    strict = Judges(Suspicion(), keys=True)
    assert [strict.doubts(source) for source in SOURCES] == [True] * 5 + [False]
    assert not any(Judges().doubts(source) for source in SOURCES)


@pytest.mark.parametrize("judges", [Judges(), Judges(Suspicion(share=0.3), keys=True)])
def test_judges_are_made_again_from_what_they_say(judges: Judges) -> None:
    parameters, keys = judges.said()
    assert Judges.of((parameters, keys)) == judges
    event = TrustTuned(parameters="" if parameters is None else json.dumps(parameters), keys=keys)
    assert Judges.told(event) == judges
