"""How long the database will still count this process as alive, by our own clock.

A process that was stopped and wakes up finds its lease over before it spends anything for a run that is another's by now.
"""

from __future__ import annotations

import time


class Lease:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = 0.0

    @property
    def holds(self) -> bool:
        return time.monotonic() < self._until

    def renewed(self, sent: float) -> None:
        """`sent`: the monotonic time before the database was asked, since it counts from later on."""
        self._until = max(self._until, sent + self.seconds)
