"""A level that changes is noticed; one that merely scatters is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_models.drift import Change, Level
from router_models.drift.level import REFERENCE
from router_models.policy import InvalidState

QUIET = 100_000


def changes(values: np.ndarray) -> list[tuple[int, Change]]:
    level = Level()
    return [(place, found) for place, value in enumerate(values.tolist()) if (found := level.update(value))]


@pytest.mark.parametrize(("shape", "most"), [("lognormal", 0), ("pareto", 0), ("constant", 0), ("neighbours alike", 1)])
def test_quiet_times_raise_no_alarm(shape: str, most: int) -> None:
    rng = np.random.default_rng(1)
    if shape == "constant":
        values = np.full(QUIET, 1e-4)
    elif shape == "pareto":
        values = rng.pareto(1.5, QUIET)
    else:
        values = np.exp(rng.normal(size=QUIET))
        if shape == "neighbours alike":
            values[1:] = values[1:] ** 0.8 * values[:-1] ** 0.6
    assert len(changes(values)) <= most


@pytest.mark.parametrize(("factor", "soon"), [(0.5, 200), (2.0, 200), (4.0, 50), (100.0, 30)])
def test_a_price_that_changes_is_noticed_and_its_size_told(factor: float, soon: int) -> None:
    noticed = []
    for seed in range(10):
        values = np.exp(0.7 * np.random.default_rng(seed).normal(size=1500))
        values[600:] *= factor
        (place, change), *more = changes(values)
        assert not more
        noticed.append(place - 600)
        assert abs(place - change.since - 600) < 60
        assert factor / 2.0 < change.ratio < factor * 2.0
    assert 0 < np.median(noticed) < soon


def test_a_constant_price_that_changes_at_all_is_noticed_at_once() -> None:
    values = np.full(1000, 0.002)
    values[500:] = 0.0021
    ((place, change),) = changes(values)
    assert place < 515
    assert change.since == place - 499
    assert change.ratio == pytest.approx(1.05)


def test_what_is_no_number_is_passed_over() -> None:
    level = Level()
    for value in (float("nan"), float("inf"), 1.0):
        assert level.update(value) is None
    assert len(level.arrays()["reference"]) == 1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, 600))
def test_a_level_that_was_saved_goes_on_alike(seed: int, cut: int) -> None:
    values = np.random.default_rng(seed).pareto(1.0, 600) * np.repeat([1.0, 3.0], 300)
    one, other = Level(), Level()
    before = [one.update(value) for value in values[:cut].tolist()]
    other.restore(one.arrays())
    assert len(before) == cut
    assert [one.update(value) for value in values[cut:].tolist()] == [
        other.update(value) for value in values[cut:].tolist()
    ]


def test_arrays_that_are_no_level_are_refused() -> None:
    for name, wrong in (("reference", np.zeros(REFERENCE + 1)), ("sums", np.zeros(3)), ("rising", np.array([np.nan]))):
        with pytest.raises(InvalidState, match="no level"):
            Level().restore({**Level().arrays(), name: wrong})
