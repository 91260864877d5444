"""The gate, in a process of its own: whatever a text does to its parser, the event loop goes on, and it ends.

A child imports the parser once and forks the one that judges. The kernel ends that one when a text takes more CPU or memory
than it may, and the child forks the next. All end with the process that started them, since their pipe does.
"""

import json
import mmap
import os
import resource
import signal
import time
from collections.abc import Callable
from typing import Any

from beerforyou.db.fence import shape
from beerforyou.db.fence.forms import Form, Forms, Passed, remember
from beerforyou.db.fence.judging import ENDED, Judging, Verdict, framed
from beerforyou.errors import Refused

CPU_S = 0.25  # for one text; an honest one takes 0.001
MEMORY = 512 << 20  # bytes
TOGETHER_S = 0.01  # how long a verdict waits for others to go with it


class Gate:
    """Opens nothing until it is asked about a text that it does not know; close it all the same."""

    def __init__(self, program: tuple[str, ...] = ("-m", "beerforyou.db.fence.parser")) -> None:
        self.judging = Judging(program)
        self._known: dict[str, Form | str] = {}
        self._forms = Forms()

    async def passed(self, sql: str) -> Form:
        """Raises Refused, in words for the model, and Unavailable."""
        sql = shape.bare(sql)
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
        passed, why = await self.judging.verdict(sql)
        return why or self._forms.add(of, Passed(*passed))

    async def close(self) -> None:
        await self.judging.close()


# From here on: the child, and the judge that it forks ----------------------------------------------------------------


def keep_one(judged: Callable[[str], Passed]) -> None:
    """One judge at a time, until nobody is there to ask."""
    judged("SELECT 1 AS one")  # which imports what is imported late
    _say([])
    begun = mmap.mmap(-1, 8)  # which text the judge is at, seen by both
    while True:
        judge = os.fork()
        if judge == 0:
            _judge(judged, begun)
            os._exit(0)
        _, status = os.waitpid(judge, 0)
        if status == 0:
            return
        _say([(int.from_bytes(begun[:]), [], ENDED)], lives=False)


def _judge(judged: Callable[[str], Passed], begun: mmap.mmap) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while length := _read(4):
        verdicts: list[Any] = []
        since = time.monotonic()
        for number, sql in json.loads(_read(int.from_bytes(length))):
            begun[:] = number.to_bytes(8)
            signal.setitimer(signal.ITIMER_PROF, CPU_S)  # SIGPROF ends it, whatever it is at
            verdicts.append((number, *_verdict(judged, sql)))
            signal.setitimer(signal.ITIMER_PROF, 0)
            if time.monotonic() - since > TOGETHER_S:
                _say(verdicts)
                verdicts, since = [], time.monotonic()
        if verdicts:
            _say(verdicts)


def _verdict(judged: Callable[[str], Passed], sql: str) -> Verdict:
    try:
        return list(judged(sql)), ""
    except Refused as refused:
        return [], refused.message


def _read(size: int) -> bytes:
    """Nothing more than asked for: what comes next may be for another judge."""
    read = b""
    while len(read) < size and (more := os.read(0, size - len(read))):
        read += more
    return read


def _say(verdicts: list[Any], lives: bool = True) -> None:
    message = memoryview(framed([verdicts, lives]))
    while message:
        message = message[os.write(1, message) :]


if __name__ == "__main__":
    from beerforyou.db.fence import gate

    keep_one(gate.judged)
