"""A terminal with a person at it: the program on a pseudo-terminal of its own, typed at and read from."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from tests.cli.program import BEERFORYOU

CTRL_C, CTRL_D, UP = "\x03", "\x04", "\x1b[A"
PATIENCE_S = 60


class Terminal:
    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process, self._screen = process, screen
        self.seen, self._unread = "", ""

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    async def until(self, text: str) -> str:
        """What came since the last time, up to this text."""
        async with asyncio.timeout(PATIENCE_S):
            while text not in self._unread:
                self._unread += await self._more()
        before, self._unread = self._unread.split(text, 1)
        return before + text

    async def ended(self) -> int:
        """Its exit code; `seen` is all there was."""
        async with asyncio.timeout(PATIENCE_S):
            while more := await self._more():
                self._unread += more
            return await asyncio.to_thread(self.process.wait)

    async def _more(self) -> str:
        """Empty at the end: Linux says so with an error."""
        loop = asyncio.get_running_loop()
        came = loop.create_future()
        loop.add_reader(self._screen, lambda: came.done() or came.set_result(None))
        try:
            await came
        finally:
            loop.remove_reader(self._screen)
        with contextlib.suppress(OSError):
            more = os.read(self._screen, 65536).decode(errors="replace").replace("\r\n", "\n")
            self.seen += more
            if not more:
                raise AssertionError(f"it ended: {self.seen}")
            return more
        return ""


@asynccontextmanager
async def at_a_terminal(*args: str, env: Mapping[str, str], columns: int = 80) -> AsyncIterator[Terminal]:
    screen, theirs = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(  # noqa: ASYNC220 (uvloop has no place between the terminal and the program)
        (BEERFORYOU, *args),
        env={**{key: env[key] for key in env.keys() - {"COLUMNS", "LINES"}}, "TERM": "xterm", "INPUTRC": os.devnull},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,  # for Ctrl-C to be a signal
    )
    os.close(theirs)
    try:
        yield Terminal(process, screen)
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)
        os.close(screen)
