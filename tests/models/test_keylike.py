"""What is taken for a key, and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.models.keylike import keylike


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-4f1c9aa0b2c3d4e5",
        "use hf_AbCdEf0123456789xyz here",
        "Bearer 4f1c9aa0b2",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0",
        "-----BEGIN PRIVATE KEY-----",
        "https://user:word@example.org/v1",
        "0123456789abcdef0123456789abcdef",
    ],
)
def test_keys_are_found_wherever_they_stand(text: str) -> None:
    assert keylike({"description": text}) == "description"
    assert keylike({"upstream": {"options": {"version": text}}}) == "upstream.options.version"
    assert keylike({"tags": ["eu", text]}) == "tags"
    assert keylike({"skills": [{text: 1}]}) == "skills"


@pytest.mark.parametrize(
    "text",
    [
        "Qwen/Qwen3-Coder-30B-A3B-Instruct-GPTQ-Int4",
        "Built with scikit-learn and hf_hub_download; knows sk-learn, pk-lists and bearer bonds.",
        "registry.example.org/models/tiny@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "http://[::1]:8000/v1",
        "2024-10-21-preview",
        "antidisestablishmentarianismandthelike",
    ],
)
def test_names_and_plain_words_are_none(text: str) -> None:
    assert keylike({"description": text, "upstream": {"model": text}}) is None


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("MY_KEY", False),
        ("_K2", False),
        ("my_key", True),
        ("2KEY", True),
        ("MY-KEY", True),
        ("POLYCULTURE_API_KEY", True),
    ],
)
def test_variables_look_like_variables(name: str, refused: bool) -> None:
    assert keylike({"upstream": {"api_key_env": name}}) == ("upstream.api_key_env" if refused else None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(),
        lambda part: st.lists(part) | st.dictionaries(st.just("a"), part),
    )
)
def test_what_holds_no_text_holds_no_key(document: Any) -> None:
    assert keylike(document) is None
