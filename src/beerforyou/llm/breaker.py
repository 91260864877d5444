"""A circuit breaker for one upstream, as one process sees it: after failures in a row it is left alone for a while.

Ours, because no well-kept library lets exactly one probe through when that while is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Breaker:
    """Ask `lets_through`, and enter `call` before the next await."""

    def __init__(
        self,
        failures: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        counts: Callable[[Exception], bool] = lambda error: True,
    ) -> None:
        """`counts`: whether an error is the upstream's failure."""
        self._limit, self._seconds, self._clock, self._counts = failures, seconds, clock, counts
        self._failures = 0
        self._probe_at: float | None = None  # None: closed
        self._probing = False

    @property
    def lets_through(self) -> bool:
        return self._probe_at is None or (not self._probing and self._clock() >= self._probe_at)

    @contextmanager
    def call(self) -> Iterator[None]:
        """What began before it opened has no say any more; a cancelled call, or an error that doesn't count, never has one."""
        probe = self._probing = self._probe_at is not None
        try:
            yield
            self._settle(probe, failures=0)
        except Exception as error:
            if self._counts(error):
                self._settle(probe, self._failures + 1)
            raise
        finally:
            if probe:
                self._probing = False

    def _settle(self, probe: bool, failures: int) -> None:
        if probe or self._probe_at is None:
            self._failures = failures
            self._probe_at = self._clock() + self._seconds if failures >= self._limit else None
