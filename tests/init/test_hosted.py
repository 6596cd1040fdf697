"""Providers whose key is in the environment."""

from __future__ import annotations

import itertools

from gateway.config import Configuration
from gateway.init.hosted import find, providers


def test_every_provider_gives_cards_that_make_a_configuration() -> None:
    sources = find({key: "secret-value" for provider in providers() for key in provider.keys})
    cards = tuple(item.card for source in sources for item in source.found)
    assert Configuration(models=cards).models == cards
    assert len(sources) == sum(bool(provider.models) for provider in providers())
    assert "secret-value" not in repr(sources)


def test_every_card_says_what_routing_needs() -> None:
    sources = find({key: "x" for provider in providers() for key in provider.keys})
    cards = [item.card for source in sources for item in source.found]
    assert all(card.description and card.price.input > 0 and card.upstream.api_key_env for card in cards)
    assert all(str(card.upstream.base_url).startswith("https://") for card in cards)
    assert all(card.price.output > 0 for card in cards if card.endpoint == "chat")


def test_only_providers_with_a_key_are_taken() -> None:
    (source,) = find({"MISTRAL_API_KEY": "k", "GROQ_API_KEY": " ", "PATH": "/bin"})
    assert source.title == "mistral (MISTRAL_API_KEY is set)"
    assert {item.card.upstream.api_key_env for item in source.found} == {"MISTRAL_API_KEY"}
    assert "check them" in source.notes[0]


def test_another_usual_name_of_the_key_will_do() -> None:
    (source,) = find({"DEEPINFRA_TOKEN": "k"})
    assert {item.card.upstream.api_key_env for item in source.found} == {"DEEPINFRA_TOKEN"}


def test_ids_carry_the_provider() -> None:
    (source,) = find({"FIREWORKS_API_KEY": "k"})
    assert source.found[0].card.id == "fireworks/gpt-oss-20b"
    assert source.found[0].card.upstream.model == "accounts/fireworks/models/gpt-oss-20b"


def test_no_two_providers_share_a_name_for_litellm() -> None:
    names = list(itertools.chain.from_iterable(provider.litellm for provider in providers()))
    assert len(names) == len(set(names))
