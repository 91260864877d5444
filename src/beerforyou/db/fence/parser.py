"""The gate, in a process of its own: whatever a text does to its parser, the event loop goes on, and it ends.

A child imports the parser once and forks the one that judges. The kernel ends that one when a text takes more CPU or memory
than it may, and the child forks the next. All end with the process that started them, since their pipe does.
"""

import asyncio
import contextlib
import json
import mmap
import os
import resource
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Any

from beerforyou.db.fence import shape
from beerforyou.db.fence.forms import Form, Forms, Passed, remember
from beerforyou.errors import Refused, Unavailable

CPU_S = 0.25  # for one text; an honest one takes 0.001
MEMORY = 512 << 20  # bytes
START_S = 60.0  # importing the parser takes 0.3 s of CPU
PATIENCE_S = 5.0  # with a process that gets no CPU: the machine's fault, not the text's
INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")  # of the environment: none of our keys
ENDED = "the query was refused: it takes too long to read"

Verdict = tuple[list[Any], str]  # as `Passed`, and why it did not pass, or nothing


class Gate:
    """Opens nothing until it is asked about a text that it does not know; close it all the same."""

    def __init__(self, program: tuple[str, ...] = ("-m", "beerforyou.db.fence.parser")) -> None:
        self._program = program
        self._known: dict[str, Form | str] = {}
        self._forms = Forms()
        self._turn = asyncio.Lock()
        self._started: asyncio.Task[Process] | None = None
        self._number = 0

    async def passed(self, sql: str) -> Form:
        """Raises Refused, in words for the model, and Unavailable."""
        known = self._known.pop(sql, None) or await self._looked_at(sql)
        remember(self._known, sql, known)
        if isinstance(known, str):
            raise Refused(known, shape.HINT)
        return known

    async def _looked_at(self, sql: str) -> Form | str:
        """Or why it is refused."""
        of = shape.checked(sql)
        if found := self._forms.find(of):
            return found
        async with self._turn:
            passed, why = await self._judged(sql)
        return why or self._forms.add(of, Passed(*passed))

    async def close(self) -> None:
        started, self._started = self._started, None
        if started is None:
            return
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            process = await started
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _judged(self, sql: str) -> Verdict:
        for _ in range(2):  # somebody else may have ended the process
            try:
                self._started = self._started or asyncio.create_task(_start(self._program))
                process = await asyncio.shield(self._started)
                async with asyncio.timeout(PATIENCE_S):
                    return await self._asked(process, sql)
            except TimeoutError:
                await self.close()
                return [], ENDED
            except (OSError, EOFError):
                await self.close()
        raise Unavailable("the process that reads SQL does not stay alive", "is there memory for it?")

    async def _asked(self, process: Process, sql: str) -> Verdict:
        """What was answered to somebody who did not wait for it is skipped, by its number."""
        assert process.stdin
        self._number += 1
        process.stdin.write(_framed([self._number, sql]))
        await process.stdin.drain()
        while True:
            number, passed, why = await _reply(process)
            if number == self._number:
                return passed, why


async def _start(program: tuple[str, ...]) -> Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", *program),
        stdin=PIPE,
        stdout=PIPE,
        env={name: os.environ[name] for name in INHERITED if name in os.environ},
        start_new_session=True,  # a Ctrl-C is not for it
    )
    async with asyncio.timeout(START_S):
        await _reply(process)
    return process


async def _reply(process: Process) -> tuple[int, list[Any], str]:
    assert process.stdout
    length = int.from_bytes(await process.stdout.readexactly(4))
    number, passed, why = json.loads(await process.stdout.readexactly(length))
    return number, passed, why


def _framed(message: list[Any]) -> bytes:
    body = json.dumps(message).encode()
    return len(body).to_bytes(4) + body


# From here on: the child, and the judge that it forks ----------------------------------------------------------------


def keep_one(judged: Callable[[str], Passed]) -> None:
    """One judge at a time, until nobody is there to ask."""
    judged("SELECT 1 AS one")  # which imports what is imported late
    _say(0, [], "")
    begun = mmap.mmap(-1, 8)  # which text the judge is at, seen by both
    while True:
        judge = os.fork()
        if judge == 0:
            _judge(judged, begun)
            os._exit(0)
        _, status = os.waitpid(judge, 0)
        if status == 0:
            return
        _say(int.from_bytes(begun[:]), [], ENDED)


def _judge(judged: Callable[[str], Passed], begun: mmap.mmap) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while length := _read(4):
        number, sql = json.loads(_read(int.from_bytes(length)))
        begun[:] = number.to_bytes(8)
        signal.setitimer(signal.ITIMER_PROF, CPU_S)  # SIGPROF ends it, whatever it is at
        try:
            verdict: Verdict = list(judged(sql)), ""
        except Refused as refused:
            verdict = [], refused.message
        signal.setitimer(signal.ITIMER_PROF, 0)
        _say(number, *verdict)


def _read(size: int) -> bytes:
    """Nothing more than asked for: what comes next may be for another judge."""
    read = b""
    while len(read) < size and (more := os.read(0, size - len(read))):
        read += more
    return read


def _say(number: int, passed: list[Any], why: str) -> None:
    message = memoryview(_framed([number, passed, why]))
    while message:
        message = message[os.write(1, message) :]


if __name__ == "__main__":
    from beerforyou.db.fence import gate

    keep_one(gate.judged)
