"""One embedded server's life: it holds a lock for as long as one process of it lives, and that lock is the truth.

A process id in a file may be stale or somebody else's by now; the kernel frees a lock however its holders died.
"""

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from beerforyou.errors import SetupError, Unavailable

START_S = 120  # PostgreSQL's recovery after a crash replays at most its max_wal_size (1 GB)
STOP_S = 60  # what pg_ctl waits, too


class Server(Protocol):
    name: str
    lock: Path
    log: Path

    def launch(self, lock: int) -> subprocess.Popen[bytes]:
        """Starts it and lets it inherit the descriptor `lock`."""

    def answers(self) -> bool: ...

    def ask_to_stop(self) -> None:
        """Does nothing when it isn't there to be asked."""


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[int | None]:
    """The descriptor that holds the lock; None if LOCK_NB was among `how` and somebody else has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor if take(descriptor, how) else None
    finally:
        os.close(descriptor)


def take(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        return False
    return True


def ensure(server: Server) -> subprocess.Popen[bytes] | None:
    """Waits until the server answers; launches it if no process of it lives. Raises SetupError."""
    process, end = None, time.monotonic() + START_S
    while not server.answers():
        if process and process.poll() is not None:
            raise failed(server.name, server.log)
        if time.monotonic() > end:
            raise SetupError(f"{server.name} did not answer in {START_S} s", f"its log is {server.log}")
        process = process or _launched(server)
        time.sleep(0.01)
    return process


def _launched(server: Server) -> subprocess.Popen[bytes] | None:
    with locked(server.lock, fcntl.LOCK_EX | fcntl.LOCK_NB) as free:
        return None if free is None else server.launch(free)


def stop(server: Server) -> None:
    """Asks it to stop and waits until no process of it lives. Raises Unavailable."""
    end = time.monotonic() + STOP_S
    while alive(server):
        if time.monotonic() > end:
            raise Unavailable(f"{server.name} did not stop in {STOP_S} s", f"its log is {server.log}")
        server.ask_to_stop()
        time.sleep(0.02)


def alive(server: Server) -> bool:
    with locked(server.lock, fcntl.LOCK_EX | fcntl.LOCK_NB) as free:
        return free is None


def failed(name: str, log: Path) -> SetupError:
    lines = log.read_text("utf-8", "replace").splitlines() or ["it said nothing"]
    fatal = next((line for line in reversed(lines) if "FATAL" in line or "PANIC" in line), lines[-1])
    return SetupError(f"{name} did not start: {fatal}", f"its log is {log}")


def new_log(log: Path) -> None:
    """An empty one, the last one beside it."""
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    private(log)


def private(path: Path, text: str = "") -> Path:
    """A new file that only its owner reads, on the disk when this returns."""
    path.unlink(missing_ok=True)
    path.touch(0o600)
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path
