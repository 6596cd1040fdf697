"""What was taught counts as its sources are believed now: whoever is found out has taught little from the start."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from gateway.archive import contents, difference, pack, unpack
from gateway.controls import Controls
from gateway.events import POOL, Audited, Event, Feedback, LearningFrozen, PoolJoined, TrustTuned
from gateway.fold import Fold
from gateway.transaction import Record
from gateway.trust.credit import credit, number
from router_models import make
from router_models.belief import Belief
from router_models.policy import Vector
from router_models.suspicion import Suspicion
from router_models.trust import Trust
from tests.log import samples
from tests.log.samples import over

QUALITY = {"ant": 0.9, "bee": 0.6, "cat": 0.1}
HONEST = [f"key/{name}" for name in ("ann", "bob", "cyd", "dan", "eve", "fay", "gus", "hal")]
CAMPAIGN = ["key/mallory", "key/oscar"]


def beginning() -> list[Record]:
    told = json.dumps(Suspicion().parameters)
    events: list[Event] = [samples.started(), *map(samples.arm, QUALITY), TrustTuned(parameters=told, keys=False)]
    return [samples.record(seq, event) for seq, event in enumerate(events, start=1)]


def rated(after: Sequence[Record], *, rounds: int, honest: bool = False, tenant: str = samples.TENANT) -> list[Record]:
    """The log goes on: everyone rates answers of their own; the campaign runs the best down and praises the worst."""
    found, chance = list(after), np.random.default_rng(len(after))
    for _ in range(rounds):
        for source in HONEST + CAMPAIGN:
            arm, seq = str(chance.choice(list(QUALITY))), found[-1].seq + 1
            reward = float(chance.random() < QUALITY[arm])
            if source in CAMPAIGN and not honest:
                reward = {"ant": 0.0, "cat": 1.0}.get(arm, reward)
            event = samples.feedback(arm, reward, seed=seq)
            found.append(Record(seq, seq * 60_000_000, event.kind, tenant, seq.to_bytes(16, "big"), source, event))
    return found


def taught(fold: Fold, *, of: str = samples.TENANT, by: str = samples.TENANT) -> Mapping[str, Vector]:
    """The weights of what each source of the tenant ``by`` has taught the state ``of``."""
    state = fold.states[of].learned
    assert isinstance(state, Belief)
    memory = state.memory
    return {name: memory.weights[memory.sources == number(by, name)] for name in HONEST + CAMPAIGN}


def test_what_a_campaign_taught_before_it_was_found_out_counts_little_afterwards() -> None:
    records = rated(beginning(), rounds=40)
    fold = over(records)
    weights = taught(fold)
    trusted = np.concatenate([weights[name] for name in HONEST])
    believed = np.concatenate([weights[name] for name in CAMPAIGN])
    assert len(believed) >= 4
    assert believed.max() < 0.05
    assert np.median(trusted) > 0.8
    assert fold.learned[samples.TENANT] > max(each.seq for each in records if each.source in HONEST) - 10


def test_whoever_is_believed_again_has_taught_as_much_as_others() -> None:
    doubted = rated(beginning(), rounds=6)
    before = np.concatenate([taught(over(doubted))[name] for name in CAMPAIGN])
    later = np.concatenate([taught(over(rated(doubted, rounds=60, honest=True)))[name] for name in CAMPAIGN])
    assert np.median(before) < 0.5 * np.median(later[: len(before)])


def audits(records: Sequence[Record]) -> list[Record]:
    """Whatever the campaign said is found to be wrong, from two events later on."""
    found: list[Record] = []
    for each in records:
        said = each.event
        if each.source in CAMPAIGN and isinstance(said, Feedback):
            event = Audited(1.0 - said.reward)
            seq = records[-1].seq + 2 + len(found)
            found.append(Record(seq, records[-1].at, event.kind, samples.TENANT, each.subject, None, event))
    return found


def test_an_audit_weighs_anew_unless_learning_is_frozen() -> None:
    records = rated(beginning(), rounds=4)
    trained = taught(over(records))
    for frozen in (True, False):
        event = LearningFrozen(frozen)
        control = Record(records[-1].seq + 1, 0, event.kind, samples.TENANT, None, None, event)
        after = taught(over([*records, control, *audits(records)]))
        for name in CAMPAIGN:
            assert (after[name] == trained[name]).all() == frozen


def test_a_fold_that_was_saved_on_the_way_weighs_alike() -> None:
    records = rated(beginning(), rounds=25)
    again = unpack(pack(contents(over(records[:120]))), make_policy=make)
    again.govern(Controls())
    assert all(again.apply(record) for record in records[120:])
    assert difference(contents(again), contents(over(records))) == 0


def test_an_audit_says_the_same_to_a_fold_that_was_saved_just_before() -> None:
    """Whoever suspects more than is usual does so after a restart, too."""
    tuned = TrustTuned(parameters=json.dumps(Suspicion(share=0.4).parameters), keys=False)
    records = rated([*beginning(), Record(6, 6, tuned.kind, samples.TENANT, None, None, tuned)], rounds=8)
    again = unpack(pack(contents(over(records))), make_policy=make)
    again.govern(Controls())
    assert all(again.apply(record) for record in audits(records))
    assert difference(contents(again), contents(over([*records, *audits(records)]))) == 0


@pytest.mark.parametrize("judged", [True, False])
def test_whoever_takes_a_word_back_takes_back_their_own(judged: bool) -> None:
    """Two find the same answer good, and the first one changes their mind, when all are judged still or no longer."""
    records = beginning()
    off, taken_back = TrustTuned(parameters="", keys=False), samples.feedback("ant", 0.0, previous=1.0)
    said = [(name, samples.feedback("ant", 1.0)) for name in ("key/ann", "key/bob")]
    for name, event in [*said, *([] if judged else [("", off)]), ("key/ann", taken_back)]:
        records.append(Record(records[-1].seq + 1, 0, event.kind, samples.TENANT, bytes(16), name, event))
    state = over(records).states[samples.TENANT].learned
    assert isinstance(state, Belief)
    assert state.memory.rewards[:2].tolist() == [0.0, 1.0]


def test_the_pool_believes_each_tenants_sources_as_that_tenant_does() -> None:
    """Two tenants give to the pool, and have sources of the same names; only in one of them these mean ill."""
    records = beginning()
    for tenant in (samples.TENANT, "acme"):
        joined = PoolJoined(contributes=True, consumes=False)
        records.append(Record(records[-1].seq + 1, 0, joined.kind, tenant, None, None, joined))
    fold = over(rated(rated(records, rounds=40, honest=True, tenant="acme"), rounds=40))
    own, others = taught(fold, of=POOL), taught(fold, of=POOL, by="acme")
    for name in CAMPAIGN:
        assert own[name].max() < 0.1 * others[name].max()
        assert others[name] == pytest.approx(taught(fold, of="acme", by="acme")[name], rel=0.1)
    mine = taught(fold)
    assert all(mine[name] == pytest.approx(own[name], rel=0.1) for name in HONEST)


def test_nobody_is_credited_where_nobody_was_judged() -> None:
    assert credit("acme", Trust()) is None
    assert number("acme", "key/ann") != number("acme", "key/bob") != number("other", "key/bob")
