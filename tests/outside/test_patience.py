"""What is tried again, how often and after how long."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar

import pytest
import stamina

from beerforyou.outside.patience import bounded, patiently

Again = Callable[[Exception], bool | float]


class Passing(Exception):
    pass


class Failing:
    """Fails so often, with errors that know their number."""

    def __init__(self, times: int, kind: type[Exception] = Passing) -> None:
        self.times, self.kind, self.tried = times, kind, 0

    async def __call__(self) -> str:
        self.tried += 1
        if self.tried <= self.times:
            raise self.kind(self.tried)
        return "done"


TRIED: ContextVar[bool] = ContextVar("tried", default=False)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited; nobody waits who is tried here. Servers of the suite that run in this loop sleep as ever."""
    slept: list[float] = []
    truly = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if not TRIED.get():
            return await truly(seconds)
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return slept


def passing(error: Exception) -> bool:
    return isinstance(error, Passing)


async def tried(work: Failing, again: Again = passing, tries: int | None = 4) -> str:
    TRIED.set(True)
    return await patiently(work, again, first_s=1.0, longest_s=3.0, jitter_s=0.5, tries=tries, within_s=600)


@pytest.mark.parametrize("failures", range(4))
async def test_what_passes_is_waited_out(waits: list[float], failures: int) -> None:
    work = Failing(failures)
    assert await tried(work) == "done"
    assert work.tried == failures + 1
    assert all(least <= wait <= most for wait, least, most in zip(waits, (1, 2, 3), (1.5, 2.5, 3), strict=False))
    assert len(waits) == failures


async def test_the_last_error_is_raised(waits: list[float]) -> None:
    work = Failing(9)
    with pytest.raises(Passing, match="4"):
        await tried(work)
    assert (work.tried, len(waits)) == (4, 3)


async def test_what_stays_is_not_tried_again(waits: list[float]) -> None:
    work = Failing(9, LookupError)
    with pytest.raises(LookupError, match="1"):
        await tried(work)
    assert (work.tried, waits) == (1, [])


async def test_it_is_asked_again_after_the_wait(waits: list[float]) -> None:
    """By then a breaker may have opened."""
    work = Failing(9)
    with pytest.raises(Passing, match="1"):
        await tried(work, lambda error: not waits)
    assert (work.tried, len(waits)) == (1, 1)


@pytest.mark.parametrize(("asked", "waited"), [(0.25, 0.25), (2.0, 2.0), (3600.0, 60.0), (1e9, 60.0)])
async def test_what_is_asked_for_is_waited_within_bounds(waits: list[float], asked: float, waited: float) -> None:
    assert await tried(Failing(2), lambda error: bounded(asked, 60.0)) == "done"
    assert waits == [waited, waited]


@pytest.mark.parametrize("asked", [None, 0.0])
async def test_who_asks_for_no_wait_gets_ours(waits: list[float], asked: float | None) -> None:
    assert await tried(Failing(1), lambda error: bounded(asked, 60.0)) == "done"
    assert waits[0] >= 1


async def test_what_succeeds_at_once_pays_nothing_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(stamina, "retry_context")
    assert await tried(Failing(0)) == "done"
