"""Other prompts than before are noticed; the same ones in another order are not."""

from __future__ import annotations

import numpy as np
import pytest

from router_models.drift import Prompts
from router_models.drift.prompts import BLOCK, FIRST
from router_models.policy import InvalidState
from router_models.rows import Floats

TOPICS, DIMENSIONS = 12, 10


def requests(seed: int, size: int, *, topics: np.ndarray, run: float = 1.0) -> Floats:
    """Requests on topics with these weights; conversations stay on one for ``run`` requests on average."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(TOPICS, DIMENSIONS))
    fresh = rng.random(size) < 1.0 / run
    fresh[0] = True
    drawn = rng.choice(TOPICS, size=size, p=topics / topics.sum())
    topic = drawn[np.maximum.accumulate(np.where(fresh, np.arange(size), 0))]
    return (centres[topic] + 0.5 * rng.normal(size=(size, DIMENSIONS))).astype(np.float32)


def alarms(prompts: Prompts, features: Floats) -> list[tuple[int, int]]:
    return [(place, since) for place, x in enumerate(features) if (since := prompts.update(x))]


EVENLY = np.ones(TOPICS)


@pytest.mark.parametrize(("run", "most"), [(1.0, 0), (3.0, 1)])
def test_quiet_times_raise_no_alarm(run: float, most: int) -> None:
    assert len(alarms(Prompts(), requests(1, 100_000, topics=EVENLY, run=run))) <= most


def test_other_prompts_are_noticed_soon() -> None:
    for seed in range(5):
        before = requests(seed, 3000, topics=EVENLY)
        after = requests(seed + 50, 1500, topics=np.arange(TOPICS) < 3)
        ((place, since), *_) = alarms(Prompts(), np.concatenate([before, after]))
        assert 3000 < place < 3000 + 4 * BLOCK
        assert since >= place - 3000 - BLOCK


def test_a_topic_that_vanishes_is_noticed_later() -> None:
    before = requests(7, 3000, topics=EVENLY)
    after = requests(8, 3000, topics=np.arange(TOPICS) > 0)
    ((place, _), *_) = alarms(Prompts(), np.concatenate([before, after]))
    assert 3000 < place < 4500


@pytest.mark.parametrize("cut", [0, 100, FIRST, FIRST + 70, 2000])
def test_what_was_saved_goes_on_alike(cut: int) -> None:
    features = np.concatenate([requests(1, 2500, topics=EVENLY), requests(2, 500, topics=np.arange(TOPICS) < 2)])
    one, other = Prompts(), Prompts()
    assert not alarms(one, features[:cut])
    other.restore(one.arrays())
    rest = alarms(one, features[cut:])
    assert rest
    assert rest == alarms(other, features[cut:])


def test_arrays_that_do_not_fit_are_refused() -> None:
    prompts = Prompts()
    alarms(prompts, requests(1, FIRST + 200, topics=EVENLY))
    for name, wrong in (("count", np.zeros(1)), ("blocks", np.zeros((2, 3))), ("first", np.zeros((1, 3)))):
        with pytest.raises(InvalidState, match="do not tell"):
            Prompts().restore({**prompts.arrays(), name: wrong})
    with pytest.raises(InvalidState, match="do not tell"):
        Prompts().restore({**prompts.arrays(), "blocks": np.full_like(prompts.arrays()["blocks"], np.nan)})
