"""What goes wrong while the customers ask: processes are killed at random, and one after the other every server is killed
or emptied, and a worker sleeps past its lease.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from tests.processes.fleet import Fleet
from tests.processes.house import House

LOOK_S = 0.05
LEASES = (1.2, 2.0)  # how long a worker sleeps: whoever took its runs over is at work, or has answered them


class Monkeys:
    """`often` says how many times each accident happens; they are spread over the `progress`, from 0 to 1."""

    def __init__(
        self, house: House, fleet: Fleet, often: Mapping[str, int], every_s: tuple[float, float], seed: int
    ) -> None:
        self._house, self._fleet, self._every_s = house, fleet, every_s
        self._random = random.Random(seed)
        self._accidents = [name for name, times in often.items() for _ in range(times)]
        self._random.shuffle(self._accidents)
        self.done: Counter[str] = Counter()

    async def accidents(self, progress: Callable[[], float]) -> None:
        """One at a time, the last of them well before everything is answered."""
        kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "postgresql": self._house.restart_postgres,
            "valkey": self._house.restart_valkey,
            "rabbitmq": self._house.restart_rabbit,
            "flushall": self._house.flush_valkey,
            "sleep": self._sleep,
        }
        for number, name in enumerate(self._accidents, start=1):
            while progress() < number / (len(self._accidents) + 2):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)
            await kinds[name]()
            self.done[name] += 1

    async def murders(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(*self._every_s))
            if self._fleet.calm:
                victim = self._random.choice([p for p in self._fleet.processes if p.ready and not p.frozen])
                victim.send(signal.SIGKILL)
                self.done[f"kill {victim.name.partition('-')[0]}"] += 1

    async def _sleep(self) -> None:
        """A worker that holds runs is stopped until its lease has been over for a while."""
        worker = self._random.choice(self._fleet.workers)
        await worker.ready_again()
        await asyncio.sleep(1.0)  # it takes runs
        worker.frozen = True
        worker.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(self._random.uniform(*LEASES) * self._house.settings.lease_s)
        finally:
            worker.send(signal.SIGCONT)
            worker.frozen = False
