"""Named places where a process may die, for the tests that kill it there. Nothing happens at them otherwise.

accept claim begin          a message comes in, a worker takes its run, all that is known is loaded
model<n> tool<n>            the n-th step of the ledger is worked on
write<n> finish publish     steps are written, the n-th as the last of them; so is the run's end; followers are told of it
remember ack                the conversation's memory is kept, the queue's message is done with
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

Hook = Callable[[str, object, Coroutine[Any, Any, Any]], Awaitable[Any]]

_hook: Hook | None = None


def hang(hook: Hook | None) -> None:
    """`hook(place, who, work)` awaits the work, and whatever else it likes."""
    global _hook
    _hook = hook


def through(place: str, who: object, work: Coroutine[Any, Any, T]) -> Awaitable[T]:
    """The work of a place, on behalf of a run (or, of `accept`, of a text)."""
    return work if _hook is None else _hook(place, who, work)
