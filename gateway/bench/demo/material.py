"""What prompts are made of: ``material.yaml``, checked."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


class Subject(msgspec.Struct, frozen=True):
    """Things of one sort, and what people write about them."""

    things: list[str]
    positive: list[str]
    negative: list[str]


class Reviews(msgspec.Struct, frozen=True):
    """Reviews are made of a subject's sentences; asides say nothing."""

    subjects: list[Subject]
    asides: list[str]
    questions: list[str]


class Story(msgspec.Struct, frozen=True):
    """A short news story, and the words that a summary of it should name."""

    keys: list[str]
    sentences: list[str]


class Texts(msgspec.Struct, frozen=True):
    """Stories to summarise; ``towns`` fill their slots."""

    subjects: list[Story]
    towns: list[str]
    questions: list[str]


class Misspellings(msgspec.Struct, frozen=True):
    """Sentences in which ``right|wrong`` stands for a word to misspell."""

    sentences: list[str]
    questions: list[str]


class Snippets(msgspec.Struct, frozen=True):
    """Pieces of code by language, and what else a language is called."""

    names: list[str]
    words: list[str]
    languages: dict[str, list[str]]
    aliases: dict[str, list[str]]
    questions: list[str]


class Chat(msgspec.Struct, frozen=True):
    """Questions of fact with a word that the answer holds, and open requests about topics."""

    facts: list[tuple[str, str]]
    openers: list[str]
    topics: list[str]
    requests: list[str]


class Material(msgspec.Struct, frozen=True):
    """The whole file."""

    reviews: Reviews
    texts: Texts
    misspellings: Misspellings
    snippets: Snippets
    conversions: list[tuple[str, str, float]]
    chat: Chat


@cache
def material() -> Material:
    """Read it, once."""
    return msgspec.yaml.decode(files(__package__).joinpath("material.yaml").read_bytes(), type=Material)
