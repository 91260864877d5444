"""What a piece of code costs the thread that runs it, whatever else the machine has to do."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

LOOP_S = 0.027  # what `_loop` takes on a quiet core (CPython 3.11)


@contextmanager
def quick(seconds: float) -> Iterator[None]:
    """Fails when the block takes more CPU than that on a quiet core. A collection of garbage is not the block's own."""
    gc.disable()
    started = time.thread_time()
    try:
        yield
        took = time.thread_time() - started
    finally:
        gc.enable()
    assert took < seconds or took < seconds * slowness(), f"{took:.3f} s of CPU"


def slowness() -> float:
    """How many times longer than on a quiet core a piece of work takes just now."""
    return max(1.0, min(_loop() for _ in range(3)) / LOOP_S)


def _loop() -> float:
    started, x = time.thread_time(), 0
    for i in range(1_000_000):
        x += i
    return time.thread_time() - started


def calls(work: Callable[[], object]) -> int:
    """How many functions it calls, those in C too; a generator is called again for each of its values. No machine and no
    neighbour has a say in it."""
    count = 0

    def counted(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    work()  # what is remembered of words and tables is not counted
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count
