from __future__ import annotations

import numpy as np
import pytest

from router_models.basis import Basis
from router_models.neighbourhoods import Grain, grain
from router_models.rows import Floats

CENTRES = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def crowd(count: int = 200) -> Floats:
    random = np.random.default_rng(0)
    kinds = random.integers(len(CENTRES), size=count)
    return (CENTRES[kinds] + random.normal(scale=0.05, size=(count, 2))).astype(np.float32)


def squares(x: Floats, found: Grain) -> Floats:
    """Squared distances (n, m) of requests from each centre."""
    distances: Floats = np.square(x[:, None] - found.centres).sum(axis=2)
    return distances


def test_finds_the_crowds_and_always_the_same_ones() -> None:
    found = grain(crowd(), count=4, softness=0.25)
    order = np.lexsort(np.round(found.centres.T))
    assert found.centres[order] == pytest.approx(CENTRES[np.lexsort(CENTRES.T)], abs=0.03)
    assert found.spread == pytest.approx(2 * 0.05**2, rel=0.2)
    assert (grain(crowd(), count=4, softness=0.25).centres == found.centres).all()


def test_membership_is_clear_within_a_crowd_and_fades_far_from_all() -> None:
    found = grain(crowd(), count=4, softness=0.25)
    shares = found.membership(squares(np.array([[0.02, 0.01], [0.5, 0.5], [9.0, 9.0]], dtype=np.float32), found))
    assert shares[0].max() == pytest.approx(1.0, abs=1e-3)
    assert shares[1:].sum() == pytest.approx(0.0, abs=1e-3)
    assert (shares >= 0).all()
    assert (shares.sum(axis=1) <= 1.0 + 1e-6).all()


def test_requests_that_cannot_be_told_apart_make_one_neighbourhood() -> None:
    found = grain(np.ones((20, 3), dtype=np.float32), count=5, softness=0.25)
    assert len(found.centres) == 1
    assert found.membership(squares(np.ones((1, 3), dtype=np.float32), found)) == pytest.approx(1.0)


def test_a_basis_has_a_level_then_neighbourhoods_then_room_for_the_match() -> None:
    x = crowd()
    bare = Basis(sizes=(2, 6))
    assert bare.places(x[:1]).tolist() == [[1.0] + [0.0] * 9]
    found = grain(x, count=2, softness=0.25), grain(x, count=4, softness=0.25)
    places = Basis(sizes=(2, 6), grains=found).places(x[:5])
    assert places.shape == (5, 10)
    assert places[:, 1:3] == pytest.approx(found[0].membership(squares(x[:5], found[0])), abs=1e-4)
    assert places[:, 3:7] == pytest.approx(found[1].membership(squares(x[:5], found[1])), abs=1e-4)
    assert (places[:, 7:] == 0).all()


def test_a_tight_basis_has_the_places_in_use_alone() -> None:
    x = crowd()
    bare = Basis(sizes=(2, 6))
    assert bare.used.tolist() == [0, 9]
    assert bare.tight.places(x[:1]).tolist() == [[1.0, 0.0]]
    basis = Basis(sizes=(2, 6), grains=(grain(x, count=2, softness=0.25), grain(x, count=4, softness=0.25)))
    assert basis.used.tolist() == [0, 1, 2, 3, 4, 5, 6, 9]
    assert (basis.tight.places(x) == basis.places(x)[:, basis.used]).all()
    assert not np.delete(basis.places(x), basis.used, axis=1).any()
