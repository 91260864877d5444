"""The circuit breaker, by its clock."""

import asyncio
import contextlib

import pytest

from beerforyou.llm.breaker import Breaker

FAILURES, SECONDS = 3, 30.0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(FAILURES, SECONDS, clock)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(OSError), breaker.call():
            raise OSError


def succeed(breaker: Breaker) -> None:
    with breaker.call():
        pass


def test_failures_in_a_row_open_it(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    assert breaker.lets_through
    fail(breaker)
    assert not breaker.lets_through


def test_a_success_ends_the_row(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    succeed(breaker)
    fail(breaker, FAILURES - 1)
    assert breaker.lets_through


def test_after_its_time_one_probe_goes_through(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.now += SECONDS - 0.1
    assert not breaker.lets_through
    clock.now += 0.1
    assert breaker.lets_through
    with breaker.call():
        assert not breaker.lets_through
        clock.now += 10 * SECONDS
        assert not breaker.lets_through, "however long the probe takes"


def test_a_good_probe_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.now += SECONDS
    succeed(breaker)
    fail(breaker, FAILURES - 1)
    assert breaker.lets_through, "and the count begins anew"


def test_a_bad_probe_opens_it_for_as_long_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.now += SECONDS
    fail(breaker)
    assert not breaker.lets_through
    clock.now += SECONDS - 0.1
    assert not breaker.lets_through
    clock.now += 0.1
    assert breaker.lets_through


def test_a_cancelled_probe_gives_its_place_back(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.now += SECONDS
    with pytest.raises(asyncio.CancelledError), breaker.call():
        raise asyncio.CancelledError
    assert breaker.lets_through
    with breaker.call():
        assert not breaker.lets_through


def test_cancellation_is_no_failure_and_no_success(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    with pytest.raises(asyncio.CancelledError), breaker.call():
        raise asyncio.CancelledError
    assert breaker.lets_through
    fail(breaker)
    assert not breaker.lets_through


@pytest.mark.parametrize("late", [OSError, None])
def test_what_began_before_it_opened_has_no_say(breaker: Breaker, clock: Clock, late: type[OSError] | None) -> None:
    with contextlib.suppress(OSError), breaker.call():
        fail(breaker, FAILURES)
        clock.now += SECONDS - 1
        if late:
            raise late
    assert not breaker.lets_through
    clock.now += 1
    assert breaker.lets_through
