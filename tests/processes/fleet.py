"""The replicas and the workers: each started again when it is gone, until the block ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from beerforyou.settings import Settings
from tests.cli.program import environment

ROOT = Path(__file__).parents[2]
API = ("serve", "--api-only", "--port", "0", "--json")
WORKER = ("worker",)
READY = (b"Working;", b"Serving;")  # what they say once they do
ADDRESS = re.compile(rb'"address": "([^"]+)"')
AGAIN_S = 0.3  # after a process that ended by itself: what it needs may be down
LAST_S = 15.0  # what a process may take to end when it is told to


class Process:
    """One place in the fleet, and whichever process has it at the moment. `logs` is a folder."""

    def __init__(self, name: str, args: tuple[str, ...], env: Mapping[str, str], logs: Path) -> None:
        self.name, self.address, self.ready, self.frozen = name, "", False, False
        self.exits: Counter[int] = Counter()
        self.log = logs / f"{name}.log"
        self._args, self._env = args, env
        self._pid, self._ending = 0, False

    @property
    def pid(self) -> int:
        return self._pid

    def keep(self) -> None:
        self._ending, self._keeper = False, asyncio.create_task(self._kept())

    def send(self, signum: signal.Signals) -> None:
        if self._pid:
            os.kill(self._pid, signum)

    async def ready_again(self, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not self.ready:
            assert time.monotonic() < end, f"{self.name} does not start: {self.log.read_text()[-2000:]}"
            await asyncio.sleep(0.02)

    async def end(self) -> int | None:
        """As an operator ends it; its exit code, or None when it was not there, or had to be killed."""
        self._ending = True
        exits, was_there = self.exits.copy(), self._pid > 0
        self.send(signal.SIGTERM)
        ended, _ = await asyncio.wait([self._keeper], timeout=LAST_S)
        if not ended:
            self.send(signal.SIGKILL)
            await asyncio.wait([self._keeper])
        self._keeper.result()
        return next(iter(self.exits - exits)) if ended and was_there else None

    async def _kept(self) -> None:
        """The parent of all that have this place, one after the other: it has imported what they need."""
        with self.log.open("ab") as log:
            parent = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.processes.mortal", *self._args),
                cwd=ROOT,
                env=self._env,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # a Ctrl-C is for the harness
            )
            listening = asyncio.create_task(self._listen(parent, log))
            try:
                await self._lives(parent)
            finally:
                parent.kill()
                await asyncio.gather(parent.wait(), listening)

    async def _lives(self, parent: asyncio.subprocess.Process) -> None:
        assert parent.stdin and parent.stdout
        while not self._ending:
            parent.stdin.write(b"\n")
            self._pid = int(await parent.stdout.readline())
            code = int(await parent.stdout.readline())
            self._pid, self.ready = 0, False
            self.exits[code] += 1
            if code != -signal.SIGKILL and not self._ending:
                await asyncio.sleep(AGAIN_S)

    async def _listen(self, parent: asyncio.subprocess.Process, log: IO[bytes]) -> None:
        assert parent.stderr
        async for line in parent.stderr:
            log.write(line)
            log.flush()
            if found := ADDRESS.search(line):
                self.address = found[1].decode()
            self.ready = self.ready or line.startswith(READY)


class Fleet:
    def __init__(self, replicas: list[Process], workers: list[Process]) -> None:
        self.replicas, self.workers = replicas, workers
        self.processes = [*replicas, *workers]

    @property
    def calm(self) -> bool:
        """Whether one more may die, so that there is progress."""
        return _at_work(self.workers) > 1 and _at_work(self.replicas) > 0

    @property
    def exits(self) -> Counter[int]:
        return sum((process.exits for process in self.processes), Counter())


def _at_work(processes: list[Process]) -> int:
    return sum(process.ready and not process.frozen for process in processes)


@asynccontextmanager
async def fleet(
    settings: Settings, env: Mapping[str, str], logs: Path, replicas: int = 2, workers: int = 3
) -> AsyncIterator[Fleet]:
    whole = environment(settings) | {"QUEUE_URL": settings.queue_url} | env
    built = Fleet(
        [Process(f"api-{n}", API, whole, logs) for n in range(1, replicas + 1)],
        [Process(f"worker-{n}", WORKER, whole, logs) for n in range(1, workers + 1)],
    )
    try:
        for process in built.processes:
            process.keep()
        await asyncio.gather(*(process.ready_again() for process in built.processes))
        yield built
    finally:
        await asyncio.gather(*(process.end() for process in built.processes))
