"""What failed is tried again, a little later each time: by stamina, which costs 45 us and so begins with the first failure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina
from stamina.instrumentation import set_on_retry_hooks

T = TypeVar("T")

set_on_retry_hooks(())  # it would log each failure without its words; who tries knows what to say


async def patiently(
    attempt: Callable[[], Awaitable[T]],
    again: Callable[[Exception], bool | float],
    *,
    first_s: float,
    longest_s: float,
    jitter_s: float,
    tries: int | None = None,
    within_s: float | None = None,
) -> T:
    """`again` says whether another try may do, or how long to wait before it. It is asked before the wait and after it, since
    more may be known by then. Raises what the last attempt raised."""
    try:
        return await attempt()
    except Exception as error:
        failure = error
    if not again(failure):
        raise failure
    async for retry in stamina.retry_context(again, tries, within_s, first_s, longest_s, jitter_s):
        with retry:
            if retry.num == 1 or not again(failure):
                raise failure
            try:
                return await attempt()
            except Exception as error:
                failure = error
                raise
    raise failure


def bounded(retry_after_s: float | None, longest_s: float) -> bool | float:
    """An answer of `again`: what somebody outside asks for, as far as we go along; True where they ask for no wait."""
    return min(retry_after_s, longest_s) if retry_after_s else True
