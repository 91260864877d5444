"""A real server of the tests' own, under the account that the embedded ones run as, for as long as a block lasts."""

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from beerforyou.servers import account

START_S = 30


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """In /tmp, where a socket's path is short and the servers' account may pass; gone at the end."""
    path = Path(tempfile.mkdtemp(prefix=f"beerforyou-{name}-", dir="/tmp"))
    try:
        path.chmod(0o711)
        yield account.give(path)
    finally:
        shutil.rmtree(path)


@contextmanager
def running(
    args: Sequence[str | Path], log: Path, answers: Callable[[], bool], stop: signal.Signals, env: Mapping[str, str]
) -> Iterator[int]:
    """Its process id, from when it answers on. Raises AssertionError with the end of its log when it doesn't."""
    with log.open("wb") as output:
        process = account.spawn(args, output, env=account.ENVIRONMENT | env)
    assert process.stdin
    process.stdin.close()
    try:
        end = time.monotonic() + START_S
        while not answers():
            assert process.poll() is None and time.monotonic() < end, f"{args[0]} does not start: {tail(log)}"
            time.sleep(0.01)
        yield process.pid
    finally:
        process.send_signal(stop)
        process.wait(START_S)


def tail(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-2000:]
