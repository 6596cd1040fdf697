"""A number and a distribution give one choice, always the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_models.drawing import drawn

numbers = st.floats(0, 1, exclude_max=True)
weights = st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(any)


def distribution(parts: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(parts, dtype=np.float64) / sum(parts)


@given(weights, numbers)
def test_what_has_no_probability_is_never_drawn_and_changes_nothing(parts: list[int], number: float) -> None:
    probabilities = distribution(parts)
    place = drawn(probabilities, number)
    assert probabilities[place] > 0
    kept = np.flatnonzero(probabilities)
    assert kept[drawn(probabilities[kept], number)] == place


@given(weights, numbers)
def test_the_place_is_where_the_running_sum_passes_the_number(parts: list[int], number: float) -> None:
    probabilities = distribution(parts)
    place = drawn(probabilities, number)
    assert probabilities[:place].sum() <= number + 1e-12
    assert number < probabilities[: place + 1].sum() + 1e-12


@pytest.mark.parametrize("tail", [0.0, 0.25])
def test_a_sum_short_of_one_gives_the_last_that_could_be_drawn(tail: float) -> None:
    probabilities = np.array([0.5, 0.25, tail, 0.0])
    assert drawn(probabilities, 0.99999 if not tail else np.nextafter(1, 0)) == (2 if tail else 1)
