"""How long the database will still count this process as alive, by our own clock.

A process that was stopped and wakes up finds its lease over before it spends anything for a run that is another's by now.
"""

from __future__ import annotations

import time


class Lease:
    """`epoch` counts how often it was had anew after it had run out: what was claimed before that may be another's."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.epoch = seconds, 0
        self._until = 0.0

    def holds(self, epoch: int) -> bool:
        """Whether it was held without a gap since that epoch."""
        return epoch == self.epoch and time.monotonic() < self._until

    def renewed(self, sent: float, seconds: float) -> None:
        """For so many. `sent`: the monotonic time before the database was asked, since it counts from later on."""
        if time.monotonic() >= self._until:
            self.epoch += 1
        self._until = max(self._until, sent + seconds)
