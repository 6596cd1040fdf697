"""The limiter: for any interleaving of requests, what is admitted fits, and what is over leaves nothing behind."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import Limits, ModelCard, Preference, Tenant
from gateway.errors import BudgetExceeded, RateLimited
from gateway.events import Answer
from gateway.keys import Principal, Terms
from gateway.limits.budget import NANO, nanodollars
from gateway.limits.ceiling import TEMPLATE, ceiling, steepest
from gateway.limits.ceiling import Terms as Prices
from gateway.limits.lease import Lease, duration
from gateway.limits.limiter import Limiter
from gateway.registry import Registry
from gateway.request import read_chat, read_embeddings
from tests.limits.test_window import Time
from tests.support.cards import card

CARDS = [
    card("plain", "http://127.0.0.1:9/v1", price={"input": 1.0, "output": 4.0}, context_window=4000, tags=["cheap"]),
    card("dear", "http://127.0.0.1:9/v1", price={"input": 5.0, "output": 2.0}, max_output_tokens=50),
]

PREFERENCES = {"cheap": Preference(tags=frozenset({"cheap"}))}


def body(**fields: Any) -> bytes:
    return msgspec.json.encode({"messages": [{"role": "user", "content": "Hi"}], **fields})


class World:
    """A limiter with a tenant and two keys, and requests that come and end in any order."""

    def __init__(self, *, tenant: Limits, key: Limits) -> None:
        self.time = Time(1_000_000.0)
        self.seen: list[tuple[str, str]] = []
        self.limiter = Limiter(
            registry=Registry(cards=[ModelCard.model_validate(each) for each in CARDS]),
            refused=lambda quota, limit: self.seen.append((quota.kind, limit)),
            clock=self.time,
            ticks=self.time,
        )
        self.limiter.configure([Tenant(id="acme", limits=tenant)], PREFERENCES)
        self.keys = [
            Principal(name, "acme", "data", Terms(limits=limits), f"key_{name}")
            for name, limits in (("free", Limits()), ("held", key))
        ]
        self.limiter.issue(self.keys)

    def ask(self, who: int, **fields: Any) -> Lease | None:
        sent = body(**fields)
        return self.limiter.admit(self.keys[who], read_chat(sent), size=len(sent))

    def end(self, who: int, lease: Lease | None, tokens: int, cost: int) -> None:
        answer = Answer(
            answered="plain", cost=cost / NANO, drawn=True, status=200, latency=0, first_byte=None,
            input_tokens=tokens, output_tokens=0, failed=[],
        )  # fmt: skip
        self.limiter.settle(self.keys[who], lease, answer)


STEPS = st.lists(
    st.tuples(st.floats(0, 30), st.integers(0, 1), st.integers(1, 60), st.booleans(), st.floats(0, 1)), max_size=60
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_for_any_interleaving_what_is_admitted_fits(steps: list[tuple[float, int, int, bool, float]]) -> None:
    limits = [
        Limits(requests_per_minute=9, tokens_per_minute=2000, concurrency=4, usd_per_day=0.02),
        Limits(requests_per_minute=5, tokens_per_minute=900, concurrency=3, usd_per_day=0.01),
    ]
    world = World(tenant=limits[0], key=limits[1])
    admitted: list[tuple[float, int, list[int]]] = []  # when, by whom, how many tokens it may take
    under_way: list[tuple[int, Lease | None, int, int]] = []
    spent = [0, 0]
    for wait, who, asked, ends, part in steps:
        world.time.now += wait
        most = ceiling(steepest([ModelCard.model_validate(each) for each in CARDS]), read_chat(body(max_tokens=asked)),
                       size=len(body(max_tokens=asked)), answer_tokens=None)  # fmt: skip
        try:
            lease = world.ask(who, max_tokens=asked)
        except RateLimited:
            assert world.seen
        else:
            admitted.append((world.time.now, who, [most.tokens]))
            under_way.append((len(admitted) - 1, lease, most.tokens, most.cost))
        if ends and under_way:
            number, lease, tokens, cost = under_way.pop(asked % len(under_way))
            real = int(tokens * part)
            world.end(admitted[number][1], lease, real, int(cost * part))
            admitted[number][2][0] = real
            for place in {0, admitted[number][1]}:
                spent[place] += int(cost * part)
        for place, each in enumerate(limits):
            whose = [a for a in admitted if place == 0 or a[1] == place]
            last = [a for a in whose if a[0] >= world.time.now - 60]
            assert len(last) <= (each.requests_per_minute or 0)
            assert sum(a[2][0] for a in last) <= (each.tokens_per_minute or 0)
            assert sum(place == 0 or admitted[n][1] == place for n, *_ in under_way) <= (each.concurrency or 0)
            assert spent[place] <= (each.usd_per_day or 0) * NANO + 1e-6
    for number, lease, *_ in under_way:
        world.end(admitted[number][1], lease, 0, 0)
    world.time.now += 61
    assert all(quota.under_way == 0 for quota in world.limiter.of(world.keys[1]))
    assert all(not each.reserved for quota in world.limiter.of(world.keys[1]) for each in quota.budget.standings())


def test_a_refusal_by_the_tenant_takes_nothing_of_the_key() -> None:
    world = World(tenant=Limits(concurrency=1), key=Limits(requests_per_minute=5, tokens_per_minute=10_000))
    first = world.ask(1, max_tokens=5)
    with pytest.raises(RateLimited, match="tenant's limit of 1 requests at once"):
        world.ask(1, max_tokens=5)
    key, tenant = world.limiter.of(world.keys[1])
    assert (key.requests.left, key.under_way, tenant.under_way) == (4, 1, 1)
    assert world.seen == [("tenant", "concurrency")]
    assert first is not None
    first.settle(0)
    first.settle(0)  # once is enough
    assert (key.under_way, tenant.under_way, key.tokens.left) == (0, 0, 10_000)


def test_of_each_kind_the_limit_with_the_least_left_is_told() -> None:
    world = World(
        tenant=Limits(requests_per_minute=2, tokens_per_minute=10_000),
        key=Limits(requests_per_minute=5, tokens_per_minute=900),
    )
    lease = world.ask(1, max_tokens=5)
    assert lease is not None
    lease.settle(15)
    world.time.now += 20.2
    assert lease.headers(anthropic=False) == [
        (b"x-ratelimit-limit-requests", b"2"),
        (b"x-ratelimit-remaining-requests", b"1"),
        (b"x-ratelimit-reset-requests", b"40s"),
        (b"x-ratelimit-limit-tokens", b"900"),
        (b"x-ratelimit-remaining-tokens", b"885"),
        (b"x-ratelimit-reset-tokens", b"40s"),
    ]
    names = [name for name, _ in lease.headers(anthropic=True)]
    assert names[:3] == [b"anthropic-ratelimit-requests-" + each for each in (b"limit", b"remaining", b"reset")]
    world.limiter.order({"acme": Limits(concurrency=1)})
    world.limiter.issue([])
    assert lease.headers(anthropic=False) == []


def test_a_budget_that_is_set_while_a_request_is_under_way_is_its_budget_too() -> None:
    world = World(tenant=Limits(concurrency=1), key=Limits())
    lease = world.ask(1, max_tokens=5)
    assert lease is not None
    assert not lease.budgeted
    world.limiter.order({"acme": Limits(usd_per_day=1.0)})
    assert lease.budgeted


def test_a_budget_knows_what_was_spent_before_it_was_set() -> None:
    world = World(tenant=Limits(), key=Limits())
    assert world.ask(1) is None
    world.end(1, None, 10, NANO)
    world.limiter.issue([world.keys[1]._replace(terms=Terms(limits=Limits(usd_per_month=1.5)))])
    assert world.ask(1, max_tokens=5) is not None
    world.end(1, None, 10, NANO)
    with pytest.raises(BudgetExceeded, match=r"budget of 1\.5 USD a month has 0 left"):
        world.ask(1, max_tokens=5)


def test_limits_that_an_admin_ordered_stand_in_place_of_the_configuration() -> None:
    world = World(tenant=Limits(concurrency=1), key=Limits())
    world.limiter.order({"acme": Limits(concurrency=2)})
    leases = [world.ask(0), world.ask(0)]
    assert world.limiter.limits("acme").concurrency == 2
    world.limiter.configure([Tenant(id="acme", limits=Limits(concurrency=5))], PREFERENCES)
    with pytest.raises(RateLimited, match="2 requests at once"):
        world.ask(0)
    world.limiter.order({})
    assert world.limiter.limits("acme").concurrency == 5
    assert len([*leases, world.ask(0)]) == 3


def test_of_those_that_a_way_of_choosing_leaves_the_dearest_counts() -> None:
    """So a budget past its soft stop has room for what ``auto`` means then."""
    budget: dict[str, Any] = {"usd_per_day": 0.002, "soft_stop": 0.5}
    for limits, admitted in ((Limits(**budget), False), (Limits(**budget, soft_model="auto:cheap"), True)):
        world = World(tenant=Limits(), key=limits)
        world.end(1, world.ask(1, max_tokens=5), 10, NANO * 15 // 10_000)
        assert world.ask(1, max_tokens=5, model="auto:cheap") is not None
        if admitted:
            lease = world.ask(1, max_tokens=5)
            assert lease is not None
            assert lease.soft_model == "auto:cheap"
        else:
            with pytest.raises(BudgetExceeded):
                world.ask(1, max_tokens=5)
        with pytest.raises(BudgetExceeded):
            world.ask(1, max_tokens=5, model="dear")


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({"max_tokens": 7}, 7),
        ({"max_tokens": 7, "n": 3}, 21),
        ({"max_completion_tokens": 9}, 9),
        ({"max_completion_tokens": 1, "max_tokens": 9}, 9),
        ({"max_completion_tokens": 1, "max_tokens": -1}, 4000),
        ({}, 4000),
        ({"model": "dear"}, 50),
        ({"model": "dear", "max_tokens": 5000}, 5000),
    ],
)
def test_the_most_that_a_request_can_take(fields: dict[str, Any], tokens: int) -> None:
    sent = body(**fields)
    cards = [ModelCard.model_validate(each) for each in CARDS if fields.get("model") in (None, each["id"])]
    most = ceiling(steepest(cards), read_chat(sent), size=len(sent), answer_tokens=None)
    prompt = len(sent) + TEMPLATE
    assert most.tokens == prompt + tokens
    prices = [(each.price.input, each.price.output, Prices.of(each).longest) for each in cards]
    assert most.cost >= max(
        nanodollars((prompt * price_in + min(tokens, longest) * price_out) / 1e6)
        for price_in, price_out, longest in prices
    )


def test_a_picture_may_take_all_that_a_model_reads() -> None:
    parts = [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]
    sent = msgspec.json.encode({"messages": [{"role": "user", "content": parts}], "max_tokens": 1})
    cards = [ModelCard.model_validate(CARDS[0])]
    assert ceiling(steepest(cards), read_chat(sent), size=len(sent), answer_tokens=None).tokens == 4001


def test_texts_to_embed_may_be_longer_than_a_window_together() -> None:
    sent = msgspec.json.encode({"input": ["word " * 100] * 100})
    cards = [ModelCard.model_validate(card("e", "http://127.0.0.1:9/v1", endpoint="embeddings", context_window=512))]
    most = ceiling(steepest(cards), read_embeddings(sent), size=len(sent), answer_tokens=None)
    assert most.tokens == len(sent) + TEMPLATE


def test_what_a_model_is_told_of_corrections_counts() -> None:
    world = World(tenant=Limits(tokens_per_minute=3000), key=Limits())
    assert world.ask(0, max_tokens=5) is not None
    told = Tenant.model_validate(
        {"id": "acme", "limits": {"tokens_per_minute": 3000}, "corrections": {"enabled": True, "characters": 500}}
    )
    world.limiter.configure([told], PREFERENCES)
    with pytest.raises(RateLimited, match="no room"):
        world.ask(0, max_tokens=5)


def test_a_key_may_take_the_name_and_the_budget_of_one_that_was_revoked() -> None:
    world = World(tenant=Limits(), key=Limits(usd_per_day=0.001))
    world.end(1, world.ask(1, max_tokens=1), 1, 900_000)
    heir = world.keys[1]._replace(key="key_heir")
    world.limiter.issue([heir])
    assert world.limiter.of(world.keys[1]) == []
    world.keys[1] = heir
    with pytest.raises(BudgetExceeded):
        world.ask(1, max_tokens=50)


def test_terms_that_others_surpass_are_not_looked_at() -> None:
    models = [
        ModelCard.model_validate(card(str(n), "http://127.0.0.1:9/v1", price={"input": n, "output": n}))
        for n in (1, 3, 2)
    ]
    assert [each.input for each in steepest(models)] == [3.0]


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.0, b"0ms"), (0.0172, b"17ms"), (1.2, b"1s"), (59.4, b"59s"), (59.7, b"1m0s"), (360, b"6m0s")],
)
def test_durations_are_written_as_openai_writes_them(seconds: float, written: bytes) -> None:
    assert duration(seconds) == written
