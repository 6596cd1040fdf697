"""Reading recorded outcomes, and keeping embeddings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.bench.routing.embeddings import embedded, featured
from gateway.bench.routing.recorded import InvalidData, Recorded
from gateway.bench.routing.wording import WORDINGS, punctuation, typos
from gateway.space import Space
from router_models import traits
from router_models.embedders import Static
from tests.bench.routing_data import BOTH, SONNETS, SUMS, rows, written

Rows = list[dict[str, Any]]


@pytest.mark.parametrize("name", ["small.jsonl", "small.jsonl.gz"])
def test_plain_and_packed_files_are_read_alike(name: str, tmp_path: Path) -> None:
    data = Recorded.read(written(tmp_path, name=name))
    assert data.models == (SUMS, SONNETS, BOTH)
    assert data.quality.shape == (80, 3)
    assert data.cost is not None
    assert data.cost[0].tolist() == [1e-3, 2e-3, 1e-5]
    assert data.prompts[3] == rows()[3]["prompt"]


def test_costs_may_be_unknown(tmp_path: Path) -> None:
    assert Recorded.read(written(tmp_path, rows(costs=False))).cost is None


def test_models_can_be_left_out_but_not_all(tmp_path: Path) -> None:
    data = Recorded.read(written(tmp_path))
    fewer = data.without([SONNETS])
    assert fewer.models == (SUMS, BOTH)
    assert np.array_equal(fewer.quality, data.quality[:, [0, 2]])
    with pytest.raises(InvalidData, match="no model 'unheard'"):
        data.without(["unheard"])
    with pytest.raises(InvalidData, match="at least two"):
        data.without([SUMS, BOTH])


def test_rows_are_chosen_by_split(tmp_path: Path) -> None:
    data = Recorded.read(written(tmp_path))
    assert len(data.rows("val")) == 20
    assert len(data.rows(None)) == 80
    with pytest.raises(InvalidData, match="splits are test, val"):
        data.rows("train")


def _worse(change: Callable[[Rows], object]) -> Rows:
    made = rows(8)
    change(made)
    return made


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (_worse(lambda made: made[2]["outcomes"][SUMS].update(quality=1.5)), r"line 3: .*<= 1.*quality"),
        (_worse(lambda made: made[2]["outcomes"][SUMS].update(cost=-1)), r"line 3: .*>= 0.*cost"),
        (_worse(lambda made: made[4].pop("prompt")), "line 5: .*`prompt`"),
        (_worse(lambda made: made[4]["outcomes"].pop(BOTH)), "line 5: model 'both' is missing"),
        (_worse(lambda made: made[4]["outcomes"].update(odd={"quality": 1})), "line 5: model 'odd' is not in"),
        (_worse(lambda made: made[1]["outcomes"][SUMS].pop("cost")), "line 2: model 'org/sums' has no 'cost'"),
        (_worse(lambda made: made[0]["outcomes"].clear()), "line 1: .*length >= 1"),
        (_worse(lambda made: made.clear()), "has 0 rows"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(made: Rows, says: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=says):
        Recorded.read(written(tmp_path, made))


def test_a_file_that_is_no_json_or_not_packed_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.jsonl"
    plain.write_text(json.dumps(rows(4)[0]) + "\n{oh no\n")
    with pytest.raises(InvalidData, match="line 2"):
        Recorded.read(plain)
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(plain.read_bytes())
    with pytest.raises(InvalidData, match="cannot be read"):
        Recorded.read(packed)


def test_embeddings_are_made_once_for_each_file_and_wording(tmp_path: Path) -> None:
    data, space = Recorded.read(written(tmp_path)), Space.of(Static())
    cache, steps = tmp_path / "cache", list[int]()
    first = embedded(data, space, wording="plain", folder=cache, jobs=2, step=steps.append)
    assert sum(steps) == 80
    (kept,) = cache.iterdir()
    before = kept.stat().st_mtime_ns
    again = embedded(data, space, wording="plain", folder=cache, jobs=1, step=steps.append)
    assert np.array_equal(first, again)
    assert kept.stat().st_mtime_ns == before
    embedded(data, space, wording="typos", folder=cache, jobs=1, step=steps.append)
    other = Recorded.read(written(tmp_path / "other", rows(40)))
    embedded(other, space, wording="plain", folder=cache, jobs=1, step=steps.append)
    assert len(list(cache.iterdir())) == 3


def test_features_are_the_gateways(tmp_path: Path) -> None:
    data, space = Recorded.read(written(tmp_path, rows(8))), Space.of(Static())
    vectors = embedded(data, space, wording="punctuation", folder=tmp_path, jobs=1, step=lambda count: None)
    found = featured(data, space, vectors, wording="punctuation")
    text = punctuation(data.prompts[5])
    assert np.array_equal(found[5], space.features(space.embedder.embed([text])[0], traits(text)))


def test_other_words_are_the_same_every_time_and_say_the_same() -> None:
    text = "Write, please, a function. It must add two numbers together, and it must do so quickly."
    assert typos(text) == typos(text) != text
    assert abs(len(typos(text)) - len(text)) < 8
    assert punctuation(text) == "write please a function.  It must add two numbers together and it must do so quickly"
    assert all(word("") == "" for word in WORDINGS.values())
