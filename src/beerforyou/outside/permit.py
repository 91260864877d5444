"""Whether the work that is going on may still spend. It is asked right before each attempt, and again by `leave.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn


class Over(Exception):
    """The work that this was for has ended."""


class _Permit:
    """Tasks, timers and connections that begin in a block keep its context for as long as they live. So what they keep is
    this, which lets go of the work in the end."""

    def __init__(self, go_on: Callable[[], None]) -> None:
        self.go_on = go_on


_permit: ContextVar[_Permit | None] = ContextVar("permit", default=None)


@contextmanager
def permitted(go_on: Callable[[], None]) -> Iterator[None]:
    """`go_on` raises what whoever asks then gets. It holds in tasks that begin in the block, too; one that outlives it gets
    Over. An inner block has a permit of its own, in place of the outer one's."""
    permit = _Permit(go_on)
    before = _permit.set(permit)
    try:
        yield
    finally:
        _permit.reset(before)
        permit.go_on = _over


def ask() -> None:
    """Does nothing where no work is named."""
    if permit := _permit.get():
        permit.go_on()


def _over() -> NoReturn:
    raise Over("the work that this was for has ended")
