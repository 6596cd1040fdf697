"""Sources put together: ids used once, upstreams kept once."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gateway.config import Configuration, ModelId
from gateway.init.source import Found, LeftOut, Source, collect, merge, model_id, numbered, take


def found(name: str, *, port: int = 1, model: str = "m", key: str | None = None) -> Found:
    upstream: dict[str, Any] = {"base_url": f"http://127.0.0.1:{port}/v1", "model": model, "api_key_env": key}
    item = take({"id": name, "upstream": upstream})
    assert isinstance(item, Found)
    return item


def ids(sources: list[Source]) -> list[str]:
    return [item.card.id for source in sources for item in source.found]


def test_repeated_names_are_numbered_across_sources() -> None:
    first = collect("one", [found("a", port=1), found("a", port=2)])
    second = collect("two", [found("a", port=3), found("b", port=4)])
    assert ids(merge([first, second], taken=["b"])) == ["a", "a-2", "a-3", "b-2"]


def test_the_same_model_at_the_same_address_is_kept_once_and_told() -> None:
    first = collect("one", [found("a")])
    (_, second) = merge([first, collect("two", [found("b"), found("c", key="OTHER")])])
    assert ids([second]) == ["c"]
    assert second.left_out == (LeftOut(name="b", reason="the same model at the same address as a"),)


def test_localhost_is_the_same_address() -> None:
    named = take({"id": "a", "upstream": {"base_url": "http://localhost:1/v1/", "model": "m"}})
    assert ids(merge([collect("one", [found("b"), named])])) == ["b"]


def test_faulty_fields_are_told_without_their_values() -> None:
    item = take({"id": "a", "upstream": {"base_url": "secret-value", "model": "m"}})
    assert isinstance(item, LeftOut)
    assert "upstream.base_url" in item.reason
    assert "secret-value" not in item.reason


def test_numbers_fit_into_the_longest_id() -> None:
    names = list(itertools.islice(numbered("x" * 128), 3))
    assert names == ["x" * 128, "x" * 126 + "-2", "x" * 126 + "-3"]


@given(st.text(max_size=200))
def test_any_name_becomes_a_model_id_that_does_not_ask_to_choose(name: str) -> None:
    made = model_id(name)
    assert TypeAdapter(ModelId).validate_python(made) == made
    assert made != "auto"
    assert not made.startswith("auto:")


@given(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,60}[A-Za-z0-9]\Z").filter(lambda n: not n.startswith("auto")))
def test_a_fit_name_stays_as_it_is(name: str) -> None:
    assert model_id(name) == name


NAMES = st.sampled_from(["a", "a-2", "b", "x" * 128])
ITEMS = st.builds(found, NAMES, port=st.integers(1, 3), model=st.sampled_from(["m", "n"]))


@given(st.lists(st.lists(ITEMS, max_size=6), max_size=3), st.sets(NAMES))
def test_merged_sources_always_make_a_configuration(groups: list[list[Found]], taken: set[str]) -> None:
    merged = merge([collect("somewhere", group) for group in groups], taken=taken)
    cards = tuple(item.card for source in merged for item in source.found)
    assert Configuration(models=cards).models == cards
    assert taken.isdisjoint(ids(merged))
    left = sum(len(source.left_out) for source in merged)
    assert len(cards) + left == sum(len(group) for group in groups)
