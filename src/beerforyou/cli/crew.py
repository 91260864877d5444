"""Several processes of one command, started again when they die, and stopped together.

Each is the same command for one process, in a session of its own: signals reach it from here, and it ends when this process
does, since its stdin ends then. A line on its stdout says that it is ready.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence

from beerforyou.cli.output import note

COMMAND = (sys.executable, "-P", "-c", "from beerforyou.cli import main; main()")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CALM_S = 10.0  # who dies before was not well; nobody else waits for him
PAUSE_S, LONGEST_S = 0.5, 30.0  # before he is started again: the first, and after each further death twice as long


class Place:
    """One of the crew, and whichever process has it. `listen` gives it a listening socket, which outlives the process: who
    connects meanwhile waits for the next one."""

    def __init__(self, args: Sequence[str], listen: Callable[[], socket.socket] | None) -> None:
        self._args, self._listen = args, listen
        self._listener = listen() if listen else None
        self._process: asyncio.subprocess.Process | None = None
        self.ready = asyncio.Event()
        self.code: int | None = None  # of a process that ended before the first was ready
        self._stopped = asyncio.Event()

    def send(self, signum: signal.Signals) -> None:
        self._stopped.set()
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signum)

    async def keep(self) -> None:
        """Until it is told to stop, or does not come up at all."""
        pause = PAUSE_S
        while not self._stopped.is_set():
            started = time.monotonic()
            code = await self._live()
            if self._stopped.is_set():
                return
            if not self.ready.is_set():
                self.code = code or 1
                return
            note(f"A process ended ({_why(code)}); it is started again.")
            pause = PAUSE_S if time.monotonic() - started > CALM_S else min(2 * pause, LONGEST_S)
            if pause > PAUSE_S and self._listener:  # the others take its connections meanwhile
                self._listener.close()
                self._listener = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopped.wait()

    async def _live(self) -> int:
        if self._listen and not self._listener:
            self._listener = self._listen()
        fds = [self._listener.fileno()] if self._listener else []
        self._process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *self._args,
            *("--child", *map(str, fds)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=fds,
            start_new_session=True,
        )
        assert self._process.stdout
        if self._stopped.is_set():  # while it was being started
            self.send(signal.SIGTERM)
        if await self._process.stdout.readline():
            self.ready.set()
        return await self._process.wait()


async def crew(places: Sequence[Place], ready: Callable[[], contextlib.AbstractContextManager[None]]) -> int:
    """Keeps them until a signal; `ready` is entered once they all are. The exit code."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        for place in places:
            place.send(signal.SIGINT if stopped.is_set() else signal.SIGTERM)
        stopped.set()

    for signum in SIGNALS:
        loop.add_signal_handler(signum, stop)
    kept = [asyncio.create_task(place.keep()) for place in places]
    up = asyncio.create_task(_all_ready(places))
    ended = asyncio.create_task(_first(kept))
    await asyncio.wait([up, ended], return_when=asyncio.FIRST_COMPLETED)
    with ready() if up.done() and not stopped.is_set() else contextlib.nullcontext():
        up.cancel()
        await ended
        if not stopped.is_set():
            stop()
        await asyncio.gather(*kept)
    return next((place.code for place in places if place.code), 0)


async def _all_ready(places: Sequence[Place]) -> None:
    for place in places:
        await place.ready.wait()


async def _first(kept: Sequence[asyncio.Task[None]]) -> None:
    await asyncio.wait(kept, return_when=asyncio.FIRST_COMPLETED)


def _why(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
