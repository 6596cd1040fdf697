"""Telling a text from the instruction about it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.specialists.excerpt import excerpt

CUE = re.compile(r"\b(rate|review)\b", re.IGNORECASE)


@pytest.mark.parametrize(
    "prompt",
    [
        "Rate this: It was fine.",
        "Rate this\nIt was fine.",
        "It was fine.\n\nRate this.",
        "Can you rate this? It was fine.",
        "It was fine. Please rate that.",
        'Rate "It was fine."',
        "Rate \N{LEFT DOUBLE QUOTATION MARK}It was fine.\N{RIGHT DOUBLE QUOTATION MARK} for me",
        "Rate 'It was fine.' please",
        "Rate:\n```\nIt was fine.\n```",
        "It was fine.",
    ],
)
def test_the_text_is_found(prompt: str) -> None:
    assert excerpt(prompt, cue=CUE) == "It was fine."


def test_where_both_ends_look_like_instructions_the_one_that_asks_is() -> None:
    assert excerpt("My review: it was fine.\nHow do you rate that?", cue=CUE) == "My review: it was fine."
    assert excerpt("How do you rate this?\nIn my review it was fine.", cue=CUE) == "In my review it was fine."


@pytest.mark.parametrize(
    "prompt", ["It's 'not' my thing: at all", 'She said "no" twice. Then "yes".', "Rate this review"]
)
def test_without_an_instruction_apart_the_prompt_is_the_text(prompt: str) -> None:
    assert excerpt(prompt, cue=CUE) == prompt


@given(st.text(alphabet="rate :\n.?'\"`a", max_size=60))
def test_an_excerpt_is_a_part_of_the_prompt(prompt: str) -> None:
    assert excerpt(prompt, cue=CUE) in prompt


@pytest.mark.parametrize("piece", ["\n", '"a', " 'a", "```\n", "rate: ", ". ", '"'])
def test_long_repetitive_prompts_are_no_trap(piece: str) -> None:
    prompt = piece * (64_000 // len(piece))
    assert len(excerpt(prompt, cue=CUE)) <= len(prompt)
