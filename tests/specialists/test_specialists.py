"""What each specialist answers, over HTTP, as the official SDK sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from openai import OpenAI

from gateway.specialists.cards import catalogue

TEXT = (
    "The river rises in the northern hills and flows south for two hundred miles. Farmers along the river depend on "
    "its water for their crops. In spring the river often floods the fields. The floods bring fertile mud that helps "
    "the crops grow. A new dam has been planned to control the floods. Some farmers fear that the dam will keep the "
    "fertile mud from their fields. Engineers say the dam will also bring electricity to the valley."
)
CORE = "Some farmers fear that the dam will keep the fertile mud from their fields."

ANSWERS = [
    ("mathematics", "What is 12 * 7 + 5?", "89"),
    ("mathematics", "twelve plus seven", "19"),
    ("summary", f"Summarise this text in one sentence: {TEXT}", CORE),
    ("summary", f"{TEXT}\n\nTL;DR in a single sentence", CORE),
    ("summary", "Please summarise: Cats sleep a lot. Dogs bark.", "Cats sleep a lot."),
    ("spelling", "Correct the spelling: I havv a dreem", "I have a dream"),
    ("spelling", "Fix the typos: Teh brwon fox of NATO met Smithtowne.", "The brown fox of NATO met Smithtowne."),
    ("spelling", "Please correct the spelling of definately", "definitely"),
    ("spelling", "Fix the typos: My new adress, and wich one", "My new address, and which one"),
    ("units", "Convert 5 miles to km", "8.04672 km"),
    ("units", "Was the year 1996 a leap year?", "Yes, 1996 is a leap year."),
    ("units", "How many grams in 2.5 pounds?", "1133.9809 grams"),
    ("units", "How many days are there between January 1, 2024 and March 1, 2024?", "60 days"),
]

LABELS = [
    ("sentiment", "Is this review positive or negative? The food was cold and the waiter was rude.", "negative"),
    ("sentiment", 'Rate this review: "I absolutely loved it, best purchase ever!"', "positive"),
    ("sentiment", "The customer got it late. Rude answers, awful, broken.\n\nWas this customer happy?", "negative"),
    ("sentiment", "Rate this review from 1 to 5: Terrible, it broke after a day.", "1"),
    ("sentiment", "Rate this review from one to ten stars.\n\nWonderful, we loved it and the staff.", "10"),
    ("sentiment", "Is this review good or bad? It was a boring mess and I hated it.", "bad,"),
    ("sentiment", "What is the sentiment of: The package arrived on Tuesday.", "neutral"),
    ("sentiment", "Not bad at all, would buy again. Positive, negative or neutral?", "positive"),
    ("code-language", "What language is this?\n```\nimport os\nfor f in os.listdir('.'):\n    print(f)\n```", "Python"),
    ("code-language", "Identify the language of this snippet:\n\nSELECT name FROM users WHERE id = 3;", "SQL"),
    ("code-language", 'package main\nimport "fmt"\nfunc main() { fmt.Println(1) }', "Go"),
]


@pytest.mark.parametrize(("name", "prompt", "expected"), ANSWERS)
def test_it_answers_its_own_domain(name: str, prompt: str, expected: str, ask: Callable[[str, str], str]) -> None:
    assert ask(name, prompt) == expected


@pytest.mark.parametrize(("name", "prompt", "label"), LABELS)
def test_a_classifier_begins_with_its_label(name: str, prompt: str, label: str, ask: Callable[[str, str], str]) -> None:
    assert ask(name, prompt).split()[0] == label


@pytest.mark.parametrize("name", [entry.id for entry in catalogue() if entry.id != "general"])
def test_it_refuses_what_it_cannot_do(name: str, ask: Callable[[str, str], str]) -> None:
    assert ask(name, "What is the capital of France?").startswith("I only")


def test_a_language_model_answers_plain_chat(connect: Callable[[str], OpenAI]) -> None:
    answer = connect("general").chat.completions.create(
        model="general", messages=[{"role": "user", "content": "What is the capital of France?"}], temperature=0
    )
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("name", [entry.id for entry in catalogue()])
def test_a_stream_joins_to_an_answer_and_tells_its_usage(name: str, connect: Callable[[str], OpenAI]) -> None:
    stream = connect(name).chat.completions.create(
        model=name,
        messages=[{"role": "user", "content": "Tell me about rivers, please."}],
        max_tokens=6,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert 1 < len(pieces) <= 6
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert reasons[:-1].count(None) >= len(pieces)
    assert "length" in reasons
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.prompt_tokens > 3
    assert usage.completion_tokens == 6
    assert usage.total_tokens == usage.prompt_tokens + 6
