"""Texts on their way to the process that judges them (parser.py), and its verdicts on their way back: all that wait at a time,
since to wake each other costs both sides as much as a verdict. Who ends that process has himself to blame: what else it had is
asked again.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, cast

from beerforyou.errors import Unavailable

START_S = 60.0  # importing the parser takes 0.3 s of CPU
PATIENCE_S = 5.0  # with a process that gets no CPU: the machine's fault, not the text's
MANY = 32  # texts at a time: 130 kB at the most
DEATHS = 2  # of processes that had a text, until it is given up
INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")  # of the environment: none of our keys
ENDED = "the query was refused: it takes too long to read"

Verdict = tuple[list[Any], str]  # as `Passed`, and why it did not pass, or nothing


class _Text:
    def __init__(self, sql: str) -> None:
        self.sql, self.deaths = sql, 0
        self.verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()

    def judged(self, verdict: Verdict) -> None:
        if not self.verdict.done():  # somebody still waits
            self.verdict.set_result(verdict)

    def given_up(self) -> None:
        if not self.verdict.done():
            error = Unavailable("the process that reads SQL does not stay alive", "is there memory for it?")
            self.verdict.set_exception(error)


class Judge(asyncio.SubprocessProtocol):
    """The process, as `Judging` sees it."""

    def __init__(self, heard: Callable[[list[Any], bool], None], gone: Callable[["Judge"], None]) -> None:
        self._heard, self._gone, self._read = heard, gone, bytearray()
        self._process: asyncio.SubprocessTransport | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.exited = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._process = cast(asyncio.SubprocessTransport, transport)  # uvloop's is no subclass

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._read += data
        while len(self._read) >= (end := 4 + int.from_bytes(self._read[:4])) > 4:
            message = json.loads(self._read[4:end])
            del self._read[:end]
            if self.ready.done():
                self._heard(*message)
            else:
                self.ready.set_result(None)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(EOFError())
        self._gone(self)

    def process_exited(self) -> None:
        assert self._process
        self._process.close()
        self.exited.set()

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.get_pid()

    def ask(self, numbered: list[tuple[int, str]]) -> None:
        assert self._process
        cast(asyncio.WriteTransport, self._process.get_pipe_transport(0)).write(framed(numbered))

    def kill(self) -> None:
        if not self.exited.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


class Judging:
    """Starts nothing until it is asked. `number` counts what was asked."""

    def __init__(self, program: tuple[str, ...]) -> None:
        self._program = program
        self._waiting: deque[_Text] = deque()
        self._asked: dict[int, _Text] = {}
        self._late: asyncio.TimerHandle | None = None
        self.number = 0
        self.started: asyncio.Task[Judge] | None = None

    async def verdict(self, sql: str) -> Verdict:
        """Raises Unavailable."""
        text = _Text(sql)
        self._waiting.append(text)
        self._ask()
        return await text.verdict

    async def close(self) -> None:
        for text in (*self._asked.values(), *self._waiting):
            text.given_up()
        self._asked.clear()
        self._waiting.clear()
        self._be_patient()
        started, self.started = self.started, None
        if started:
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                judge = await started
                judge.kill()
                await judge.exited.wait()

    def _ask(self) -> None:
        """The next ones, when the last ones are answered."""
        if self._asked or not self._waiting:
            return
        if self.started is None:
            self.started = asyncio.create_task(_start(self._program, self._heard, self._gone))
            self.started.add_done_callback(self._is_there)
        elif self.started.done() and (texts := self._next()):
            self._asked = dict(enumerate(texts, start=self.number + 1))
            self.number += len(texts)
            self.started.result().ask([(number, text.sql) for number, text in self._asked.items()])
            self._be_patient()

    def _next(self) -> list[_Text]:
        """One that a process may have died of goes alone."""
        texts: list[_Text] = []
        while self._waiting and len(texts) < (1 if self._waiting[0].deaths else MANY):
            text = self._waiting.popleft()
            if text.verdict.done():
                continue  # nobody waits for it any more
            texts.append(text)
            if text.deaths:
                break
        return texts

    def _is_there(self, started: asyncio.Task[Judge]) -> None:
        if started is not self.started or started.cancelled():
            return
        if started.exception():
            self._died_with(self._waiting)
        else:
            self._ask()

    def _heard(self, verdicts: list[Any], lives: bool) -> None:
        """What was answered to somebody who does not wait any more is nobody's. One that does not live was ended at a text."""
        if not lives and verdicts[0][0] not in self._asked:
            verdicts = [[next(iter(self._asked), 0), [], ENDED]]
        for number, passed, why in verdicts:
            if text := self._asked.pop(number, None):
                text.judged((passed, why))
        if not lives:
            self._ask_again()
        self._be_patient()
        self._ask()

    def _gone(self, judge: Judge) -> None:
        if self.started and self.started.done() and not self.started.exception() and self.started.result() is judge:
            self._died_with(self._asked.values())

    def _died_with(self, texts: Iterable[_Text]) -> None:
        """Nobody knows of which."""
        for text in texts:
            text.deaths += 1
            if text.deaths >= DEATHS:
                text.given_up()
        self._begin_anew()

    def _is_late(self) -> None:
        """With the first of those that it has."""
        self._asked.pop(next(iter(self._asked))).judged(([], ENDED))
        self._begin_anew()

    def _begin_anew(self) -> None:
        started, self.started = self.started, None
        if started and not started.exception():
            started.result().kill()
        self._ask_again()
        self._be_patient()
        self._ask()

    def _ask_again(self) -> None:
        self._waiting.extendleft(reversed(self._asked.values()))
        self._asked = {}

    def _be_patient(self) -> None:
        if self._late:
            self._late.cancel()
        loop = asyncio.get_running_loop()
        self._late = loop.call_later(PATIENCE_S, self._is_late) if self._asked else None


async def _start(
    program: tuple[str, ...], heard: Callable[[list[Any], bool], None], gone: Callable[[Judge], None]
) -> Judge:
    """Raises OSError, EOFError and TimeoutError."""
    _, judge = await asyncio.get_running_loop().subprocess_exec(
        lambda: Judge(heard, gone),
        *(sys.executable, "-P", *program),
        stderr=None,
        env={name: os.environ[name] for name in INHERITED if name in os.environ},
        start_new_session=True,  # a Ctrl-C is not for it
    )
    try:
        async with asyncio.timeout(START_S):
            await judge.ready
    except BaseException:
        judge.kill()
        raise
    return judge


def framed(message: object) -> bytes:
    body = json.dumps(message).encode()
    return len(body).to_bytes(4) + body
