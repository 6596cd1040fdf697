"""The circuit breaker as a state machine over a clock of its own."""

from __future__ import annotations

from gateway.breaker import FIRST_REST_S, LONGEST_REST_S, THRESHOLD, Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(clock=Clock())
    for _ in range(THRESHOLD - 1):
        breaker.failed()
    breaker.succeeded()
    for _ in range(THRESHOLD - 1):
        breaker.failed()
    assert breaker.closed
    breaker.failed()
    assert not breaker.closed


def test_rests_longer_after_each_failed_trial_up_to_a_limit() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for _ in range(THRESHOLD):
        breaker.failed()
    rests = []
    for _ in range(6):
        began = clock.now
        while not breaker.closed:
            clock.now += 0.5
        rests.append(clock.now - began)
        breaker.failed()
    assert rests[0] == FIRST_REST_S
    assert rests == sorted(rests)
    assert rests[-1] == LONGEST_REST_S


def test_one_success_closes_it() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for _ in range(THRESHOLD + 3):
        breaker.failed()
    clock.now += LONGEST_REST_S
    assert breaker.closed
    breaker.succeeded()
    breaker.failed()
    assert breaker.closed


def takes(breaker: Breaker) -> bool:
    return breaker.closed


def test_after_a_rest_one_request_at_a_time_tries_it() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for _ in range(THRESHOLD):
        breaker.failed()
    clock.now += FIRST_REST_S
    assert takes(breaker)
    breaker.asked()
    assert not takes(breaker)
    breaker.left()
    assert takes(breaker)
    breaker.asked()
    breaker.succeeded()
    assert takes(breaker)
    breaker.asked()
    assert takes(breaker)


def test_where_it_is_probed_a_rest_ends_with_a_sign_of_life() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock, probed=True)
    for _ in range(THRESHOLD):
        breaker.failed()
    clock.now += 10 * LONGEST_REST_S
    assert not takes(breaker)
    breaker.found_alive()
    assert takes(breaker)
    breaker.asked()
    breaker.failed()
    clock.now += 10 * LONGEST_REST_S
    assert not takes(breaker)
