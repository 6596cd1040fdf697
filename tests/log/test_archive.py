"""A fold on disk: what comes back is what was put away, or nothing."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.archive import SCHEMA, Archive, checksum, contents, difference, pack, unpack
from gateway.fold import Fold
from gateway.npz import Contents
from gateway.tenant_state import TenantState
from router_models import make
from router_models.policy import InvalidState
from router_models.trust import Trust
from tests.log.samples import answer, arm, decision, feedback, folded, started


def some_fold() -> Fold:
    return folded(started(), arm("a"), arm("b"), decision("a"), answer("a"), feedback("a", 0.75), feedback("b", 0.25))


SAVED = pack(contents(some_fold()))


def changed(**fields: Any) -> Archive:
    """The archive with other fields in its manifest, and a checksum that fits."""
    with np.load(io.BytesIO(SAVED.data)) as file:
        arrays: Contents = dict(file)
    manifest = {**json.loads(arrays["manifest"].tobytes()), **fields}
    arrays["manifest"] = np.frombuffer(json.dumps(manifest).encode(), np.uint8)
    return pack(arrays)


def test_a_fold_comes_back_exactly() -> None:
    fold = unpack(SAVED, make_policy=make)
    assert difference(contents(fold), contents(some_fold())) == 0
    assert pack(contents(fold)) == SAVED
    assert (fold.position, fold.base, fold.lessons, fold.lineage) == (7, 7, 2, 1)
    assert fold.arms == some_fold().arms
    assert fold.started == some_fold().started


def test_an_empty_fold_comes_back() -> None:
    empty = Fold(make_policy=make)
    assert pack(contents(unpack(pack(contents(empty)), make_policy=make))) == pack(contents(empty))


def test_contents_do_not_change_with_the_fold() -> None:
    fold = some_fold()
    before = contents(fold)
    kept = pack(before)
    fold.state("default").chose("a")
    assert pack(before) == kept
    assert difference(before, contents(fold)) > 0


def test_who_was_believed_by_an_older_model_of_sources_starts_as_new() -> None:
    """Old checkpoints stand for events that are gone: what else they hold goes on."""
    fold = some_fold()
    own = fold.states["default"]
    older = {"trust/mass": np.zeros(3), "trust/sources": np.array(["default/ann"])}
    saved = {name: array for name, array in own.arrays().items() if not name.startswith("sources/")}
    found = TenantState.load({**saved, **older}, policy=fold.policy, shadow=None)
    assert found.lessons == own.lessons
    assert found.trust.bands() == Trust().bands()
    assert difference(found.arrays(), own.arrays()) == 0


def test_archives_hold_no_pickles() -> None:
    with np.load(io.BytesIO(SAVED.data), allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "fiuU" for name in file.files)


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, len(SAVED.data) - 1), flip=st.integers(1, 255))
def test_a_changed_byte_is_refused(place: int, flip: int) -> None:
    data = bytearray(SAVED.data)
    data[place] ^= flip
    with pytest.raises(InvalidState, match="checksum"):
        unpack(SAVED._replace(data=bytes(data)), make_policy=make)


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, len(SAVED.data) - 1), flip=st.integers(0, 255), length=st.integers(0, len(SAVED.data)))
def test_a_forged_checksum_does_no_more_than_be_refused(place: int, flip: int, length: int) -> None:
    data = bytearray(SAVED.data)
    data[place] ^= flip
    forged = bytes(data[:length])
    with suppress(InvalidState):
        fold = unpack(Archive(SAVED.position, checksum(forged), forged), make_policy=make)
        assert isinstance(fold, Fold)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"schema": 2}, f"schema 2, not {SCHEMA}"),
        ({"tenants": ["default", "other"]}, "no tenant's state"),
        ({"tenants": 3}, "not iterable"),
        ({"lineage": 0}, "no lineage"),
    ],
)
def test_what_this_version_cannot_read_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidState, match=why):
        unpack(changed(**fields), make_policy=make)


def test_an_unknown_policy_is_refused() -> None:
    def older(name: str, **parameters: Any) -> Any:
        raise ValueError(f"no policy is called {name!r}")

    with pytest.raises(InvalidState, match="no policy is called 'polyculture'"):
        unpack(SAVED, make_policy=older)


def test_difference_is_zero_only_for_equal_arrays() -> None:
    one: Contents = {"a": np.array([1.0, np.nan]), "n": np.array(["x"])}
    assert difference(one, {"a": np.array([1.0, np.nan]), "n": np.array(["x"])}) == 0
    assert difference({"a": np.array([1.0, 2.0])}, {"a": np.array([1.0, 2.5])}) == 0.5
    others: list[Contents] = [
        {"a": one["a"]},
        {"a": np.array([1.0]), "n": one["n"]},
        {"a": np.array([1.0, np.inf]), "n": one["n"]},
        {"a": one["a"], "n": np.array(["y"])},
        {"a": one["a"].astype(np.float32), "n": one["n"]},
    ]
    for other in others:
        assert difference(one, other) == float("inf")
