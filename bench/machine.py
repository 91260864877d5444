"""What processes take of the machine, as Linux tells it, and how fast the machine is at the moment."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
# CPU of `Calibrator.loop` in milliseconds on the machine that the figures in docs/reference/costs.md are from (two cores of a
# virtual machine, CPython 3.11.7), when nothing else ran: the fastest of many. "Quiet-core equivalent" is CPU times this,
# by what the loop took beside the measurement.
QUIET_MS = 3.4
SCATTERED = 100_000  # words: 6 MB, more than a core's own cache
EVERY_S = 0.25  # two per cent of a core


class Calibrator:
    """Asks every so often how fast the machine is, from the start of its block to the end."""

    def __init__(self) -> None:
        self.took: list[float] = []
        words = [f"{number:06}" for number in range(SCATTERED)]
        self._words = random.Random(1).sample(words, SCATTERED)
        self._here, self._there = socket.socketpair()

    def loop(self) -> float:
        """Its CPU in milliseconds: strings and dictionaries, memory that lies anywhere, and the kernel, as a service has them."""
        begun, kept = time.thread_time(), dict[object, object]()
        for number in range(6_000):
            kept[number % 997] = f"{number:06}".upper().encode()
        for word in self._words[::5]:
            kept[word[5]] = word
        for _ in range(60):
            self._here.send(b"x" * 1000)
            self._there.recv(2000)
        return (time.thread_time() - begun) * 1000

    @property
    def slowness(self) -> float:
        """How many times longer than on a quiet core everything took."""
        return statistics.median(self.took) / QUIET_MS

    async def _ask(self) -> None:
        while True:
            self.took.append(self.loop())
            await asyncio.sleep(EVERY_S)


@asynccontextmanager
async def calibrated() -> AsyncIterator[Calibrator]:
    calibrator = Calibrator()
    asking = asyncio.create_task(calibrator._ask())
    try:
        yield calibrator
    finally:
        asking.cancel()
        await asyncio.wait([asking])
        calibrator.took.append(calibrator.loop())


def cpu_s(parents: Iterable[int]) -> float:
    """User and system of these processes and all below them; those that have ended are in their parents' figures."""
    below = _below()
    return sum(_times(pid) for parent in parents for pid in (parent, *_all_below(parent, below)))


def busy_s() -> float:
    """Of the whole machine, whoever had it."""
    user, nice, system, _, _, irq, softirq, steal, *_ = map(
        int, Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    )
    return (user + nice + system + irq + softirq + steal) * TICK_S


def memory_kb(pids: Iterable[int]) -> float:
    """Proportional set size: what is shared is counted once."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _times(pid: int) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) * TICK_S if fields else 0.0


def _stat(pid: int | str) -> list[str]:
    """The fields from the third on: the second may hold anything. None of one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _below() -> dict[int, list[int]]:
    children = defaultdict(list)
    for process in Path("/proc").glob("[1-9]*"):
        if fields := _stat(process.name):
            children[int(fields[1])].append(int(process.name))
    return children


def _all_below(parent: int, children: dict[int, list[int]]) -> Iterable[int]:
    for child in children.get(parent, ()):
        yield child
        yield from _all_below(child, children)
