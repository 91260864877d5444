"""What an attack does to the server: how much its backend holds meanwhile, and whether anything runs on once its caller is
gone. Only the administrator sees backends, and only those of this machine show their memory; else nothing is said.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec

from beerforyou.db.connections import admin
from beerforyou.db.queries import QUERIES
from beerforyou.settings import Settings

PROC = Path("/proc")
URLS = ("database_url", "database_read_url", "database_sql_url")
LOOK_S = 0.01  # a backend takes at most some 10 MB in that time
ASK_EVERY = 10  # looks, for backends that are new
SESSION_MB = 64  # of a session that is kept; a new one holds 3
LET_GO_S = 2.0  # in which a backend whose caller is gone must have ended: it looks for its caller every 0.25 s
BUSY = 10  # times as long it may take while it gets too little of a processor


class Seen(msgspec.Struct, frozen=True):
    """None: it cannot be seen from here."""

    peak_mb: int | None = None
    left_running: bool | None = None


class Backends:
    """Those of one process's reader pool, by the name that `named` gave them."""

    def __init__(self, connection: asyncpg.Connection | None, name: str) -> None:
        self._connection, self._name = connection, name
        self._pids: set[int] = set()
        self._left: set[int] = set()  # at work when an earlier `seen` gave up waiting
        self._at_work: set[int] = set()
        self._known = False  # that there are any to be seen
        self._peak: int | None = None

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Notes the peak for as long as the block lasts."""
        self._peak, over = None, asyncio.Event()
        looking = asyncio.create_task(self._look(over))
        try:
            yield
        finally:
            over.set()
            await looking

    async def seen(self) -> Seen:
        """After `looking`. Waits for what is still at work, for as long as it may be."""
        started, first = time.monotonic(), dict[int, float | None]()
        while True:
            at_work = await self._ask()
            first = {pid: first.get(pid, _cpu_s(pid)) for pid in self._at_work}
            waited = time.monotonic() - started
            if not at_work or (waited > LET_GO_S and (waited > BUSY * LET_GO_S or any(map(_ran_on, first.items())))):
                self._left |= self._at_work
                return Seen(self._peak, at_work)
            await asyncio.sleep(LOOK_S)

    async def session_mb(self) -> int | None:
        """The largest of the sessions that are kept."""
        await self._ask()
        return _largest(self._pids)

    async def _ask(self) -> bool | None:
        """Whether any is at work."""
        if self._connection is None:
            return None
        rows = await self._connection.fetch(QUERIES["backends.of_readers"].sql, self._name)
        self._known = self._known or bool(rows)
        self._pids = {row["pid"] for row in rows} - self._left
        self._at_work = {row["pid"] for row in rows if row["pid"] in self._pids and row["state"] != "idle"}
        return bool(self._at_work) if self._known and all(row["state"] for row in rows) else None

    async def _look(self, over: asyncio.Event) -> None:
        """Once at least."""
        for looks in itertools.count():
            if looks % ASK_EVERY == 0:
                await self._ask()
            self._note()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), LOOK_S)
                return

    def _note(self) -> None:
        now = _largest(self._pids)
        self._peak = max(filter(None, (self._peak, now)), default=None)


NOBODY_LOOKS = Backends(None, "")


def named(settings: Settings) -> tuple[Settings, str]:
    """Settings whose connections have a name of their own, and that name."""
    name = f"proof-{secrets.token_hex(8)}"
    given = {field: url for field in URLS if (url := getattr(settings, field))}
    named = {field: f"{url}{'&' if '?' in url else '?'}application_name={name}" for field, url in given.items()}
    return msgspec.structs.replace(settings, **named), name


@asynccontextmanager
async def backends(settings: Settings, name: str) -> AsyncIterator[Backends]:
    connection = await admin(settings) if settings.database_admin_url else None
    try:
        yield Backends(connection, name)
    finally:
        if connection is not None:
            await connection.close()


def _largest(pids: Iterable[int]) -> int | None:
    return max((mb for pid in pids if (mb := _private_mb(pid)) is not None), default=None)


def _private_mb(pid: int) -> int | None:
    """What a process holds for itself, if it is a backend of a reader and runs here."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        if b"bfy_reader" in _title(pid):
            return (
                int((PROC / f"{pid}/status").read_text("ascii", "replace").partition("RssAnon:")[2].split()[0]) // 1024
            )
    return None


def _ran_on(backend: tuple[int, float | None]) -> bool:
    """Whether it has had all the time that it may take, of a processor's; where that cannot be seen, on the clock."""
    pid, before = backend
    now = _cpu_s(pid)
    return before is None or now is None or now - before > LET_GO_S


def _cpu_s(pid: int) -> float | None:
    """What a backend that runs here has taken so far: proc(5), utime and stime."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        if _title(pid):
            fields = (PROC / f"{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return None


def memory_limit_mb(pid: int) -> int | None:
    """What a backend that runs here may hold, as far as `ulimit` says it."""
    with contextlib.suppress(OSError, IndexError):
        lines = (PROC / f"{pid}/limits").read_text().splitlines() if _title(pid) else []
        limits = [line.split()[3] for line in lines if line.startswith(("Max data size", "Max address space"))]
        return min((int(limit) >> 20 for limit in limits if limit.isdigit()), default=None)
    return None


def _title(pid: int) -> bytes:
    """Of a PostgreSQL backend; another process, or another machine's, has none."""
    title = (PROC / f"{pid}/cmdline").read_bytes()
    return title if title.startswith(b"postgres:") else b""
