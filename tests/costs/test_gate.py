"""What a run may cost, counted and never timed. Whoever makes one dearer changes the table in the same commit, and says why.

The service is whole but for HTTP and the model: queue, worker, journal, fence, a follower. One run at a time, so that nothing
is shared with others; what a hundred at a time share is in docs/reference/costs.md.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest
from msgspec.structs import replace

from beerforyou.conversations.accepting import accept
from beerforyou.house import House, opened
from beerforyou.llm.model import Reply, Request, TextPart, ToolCall
from beerforyou.runs import bell, journal
from beerforyou.settings import Settings
from beerforyou.usage import Usage
from beerforyou.worker.worker import Worker
from bench import kinds
from bench.proxy import Asked, Proxy, proxied
from tests.conftest import FreshSettings
from tests.waiting import wait_until

RUNS = 8  # that are counted, of each kind: there are so many usual questions


class Cost(NamedTuple):
    """Of one run. `wrote`: transactions that wrote; `rows` of the ledger; `wal` in kB, at the most; `garbage`: objects that hold
    each other, so that it takes Python's collector to find them, which keeps everybody waiting meanwhile."""

    statements: float  # a sure plan has SQL in every other run
    trips: float
    wrote: int
    rows: int
    tasks: int
    wal: float
    garbage: int = 0


TABLE = {
    kinds.CANNED: Cost(statements=3, trips=3, wrote=3, rows=0, tasks=3, wal=3.3),
    kinds.SEARCH: Cost(statements=5, trips=5, wrote=5, rows=3, tasks=3, wal=10.3),
    kinds.SEEN: Cost(statements=6, trips=6, wrote=5, rows=3, tasks=3, wal=10.7),
    kinds.NEW: Cost(statements=6, trips=7, wrote=5, rows=3, tasks=3, wal=10.7),
    kinds.SURE: Cost(statements=3.5, trips=3.5, wrote=3, rows=1, tasks=3, wal=5.7),
}


class Scripted:
    """What the benchmark's model server says, without a server."""

    name = "scripted:"

    def __init__(self) -> None:
        self.calls: tuple[kinds.Call, ...] = ()

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        turn = sum(content.role == "tool" for content in request.messages[_question(request) :])
        if turn < len(self.calls):
            call = self.calls[turn]
            return Reply(parts=(ToolCall(f"call-{turn}", call.tool, call.args),), usage=Usage(input=900, output=40))
        for piece in kinds.ANSWER:
            on_text and on_text(piece)
        return Reply(parts=(TextPart("".join(kinds.ANSWER)),), usage=Usage(input=1500, output=300))

    async def close(self) -> None: ...


def _question(request: Request) -> int:
    return max(n for n, content in enumerate(request.messages) if content.role == "user")


class Heard:
    def __init__(self) -> None:
        self.frames, self._closed = b"", asyncio.Event()
        self.close, self.wait = self._closed.set, self._closed.wait

    def write(self, frames: bytes) -> None:
        self.frames += frames


class Gate:
    def __init__(self, house: House, proxy: Proxy, admin: asyncpg.Connection) -> None:
        self._house, self._proxy, self._admin = house, proxy, admin
        self._model = house.model = Scripted()
        self._number, self._tasks = 0, 0
        asyncio.get_running_loop().set_task_factory(self._counted)

    def _counted(self, loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> asyncio.Task[Any]:
        self._tasks += 1
        return asyncio.Task(work, loop=loop, **more)

    async def cost(self, kind: str) -> Cost:
        for _ in range(2):  # plans, caches, pools
            await self._runs(kind)
        gc.collect()
        gc.disable()
        before = await self._so_far()
        tasks = self._tasks
        await self._runs(kind)
        tasks = self._tasks - tasks
        garbage = gc.collect()
        gc.enable()
        now = await self._so_far()
        statements, trips, wrote, rows, wal = (round((b - a) / RUNS, 2) for a, b in zip(before, now, strict=True))
        return Cost(statements, trips, wrote, rows, tasks // RUNS, wal / 1000, garbage // RUNS)

    async def _so_far(self) -> tuple[int, int, int, int, int]:
        asked: Asked = self._proxy.asked["worker"]
        row = await self._admin.fetchrow(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xids, (SELECT count(*) FROM core.ledger) AS rows,"
            " pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint AS wal"
        )
        return asked.statements, asked.trips, row["xids"], row["rows"], row["wal"]

    async def _runs(self, kind: str) -> None:
        for _ in range(RUNS):
            await self._run(kind)

    async def _run(self, kind: str) -> None:
        self._number += 1
        self._model.calls = () if kind in kinds.NO_MODEL else kinds.calls(kind, self._number)
        heard, house = Heard(), self._house
        await accept(
            house,
            "CLT-00001",
            kinds.message(kind, self._number),
            before_ring=partial(house.following.new_run, sink=heard),
        )
        async with asyncio.timeout(20):
            await heard.wait()
        assert b"event: answer\n" in heard.frames
        while house.following._followers:
            house.following.leave(next(iter(house.following._followers)))


@asynccontextmanager
async def nobody_else_writes(admin: asyncpg.Connection) -> AsyncIterator[None]:
    """WAL is the whole server's: no vacuum between. (The tests' server writes no whole pages after a checkpoint.)"""
    await admin.execute("ALTER SYSTEM SET autovacuum = off")
    await admin.execute("SELECT pg_reload_conf()")
    await wait_until(lambda: admin.fetchval(QUIET), "no vacuum is at work any more")
    yield
    await admin.execute("ALTER SYSTEM RESET autovacuum")
    await admin.execute("SELECT pg_reload_conf()")


QUIET = """
SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type LIKE 'autovacuum %')
    AND current_setting('full_page_writes') = 'off'
"""


@pytest.fixture(scope="module")
async def gate(fresh_settings: FreshSettings, demo: Settings, tmp_path_factory: Any) -> AsyncIterator[Gate]:
    unhurried = pytest.MonkeyPatch()
    unhurried.setattr(bell, "LOOK_S", 3600.0)
    unhurried.setattr(journal, "BEHIND_S", 60.0)  # no step is written for want of time, on a busy machine
    async with fresh_settings(demo) as settings, proxied(settings, Path(tmp_path_factory.mktemp("proxy"))) as proxy:
        through = replace(
            settings, **proxy.urls["worker"], sweep_s=3600.0, lease_s=3600.0, sure_reading_plans=True, shadow_share=0.0
        )
        admin = await asyncpg.connect(settings.database_admin_url)
        async with nobody_else_writes(admin), opened(through) as house:
            worker = Worker(house)
            await worker.beat()
            taking = asyncio.create_task(worker.take())
            yield Gate(house, proxy, admin)
            taking.cancel()
            await worker.drain(5.0)
        await admin.close()
    unhurried.undo()


@pytest.mark.parametrize("kind", TABLE)
async def test_a_run_costs_what_the_table_says(gate: Gate, kind: str) -> None:
    cost, allowed = await gate.cost(kind), TABLE[kind]
    if cost.wrote > allowed.wrote:  # ids of transactions are the cluster's: a process of another test may have beaten
        cost = await gate.cost(kind)
    assert cost._replace(wal=0) == allowed._replace(wal=0)
    assert cost.wal <= allowed.wal
