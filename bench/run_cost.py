"""What a run costs: CPU of every process, commits and statements, over many runs at a time.

    .venv/bin/python bench/run_cost.py [RUNS] [AT_A_TIME]

A run here is accept, claim, context, three model calls (scripted, no latency), two tool calls over real data, and finish; on the
embedded servers in a temporary folder. Times are CPU, so that a busy machine matters less.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil
import uvloop

from beerforyou.cli.demo import set_up
from beerforyou.conversations.accepting import accept
from beerforyou.house import House, opened, prepared
from beerforyou.llm.model import Reply, Request, TextPart, ToolCall
from beerforyou.settings import load
from beerforyou.usage import Usage
from beerforyou.worker.worker import work

TOP_BEERS = "SELECT beer, sum(quantity) AS quantity FROM my_purchases GROUP BY beer, brewery_id ORDER BY 2 DESC LIMIT 3"
CALLS = (
    ToolCall("a", "search_breweries", {"city": "San Diego", "only_new": True}),
    ToolCall("b", "run_analytical_query", {"sql": TOP_BEERS}),
)


class Scripted:
    """Two turns with a tool call each, then a sentence."""

    name = "scripted:"

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        turn = sum(message.role == "tool" for message in request.messages)
        part = CALLS[turn] if turn < len(CALLS) else TextPart("Here they are. Take your pick.")
        return Reply(parts=(part,), usage=Usage(input=900, output=40), model="scripted")

    async def close(self) -> None: ...


async def main(runs: int, at_a_time: int) -> None:
    with tempfile.TemporaryDirectory(prefix="beerforyou-bench-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 (nothing else runs yet)
        async with prepared(load({}, data=Path(folder))) as settings:
            await set_up(settings)
            async with opened(settings) as house:
                house.model = Scripted()
                await _walk(house, runs // 10, at_a_time)  # warm: plans, caches, pools
                await _measure(house, runs, at_a_time)


async def _measure(house: House, runs: int, at_a_time: int) -> None:
    admin = await asyncpg.connect(house.settings.database_admin_url)
    before, commits, started = _cpu(), await _commits(admin), time.perf_counter()
    await _walk(house, runs, at_a_time)
    wall = time.perf_counter() - started
    after = _cpu()
    await asyncio.sleep(1.5)  # the statistics of PostgreSQL arrive late
    committed = await _commits(admin) - commits
    await admin.close()
    print(f"{runs} runs, {at_a_time} at a time, {wall:.1f} s\n")
    print("| process | CPU a run, ms |\n|---|--:|")
    for name in before:
        print(f"| {name} | {(after[name] - before[name]) / runs * 1000:.2f} |")
    print(f"| all | {(sum(after.values()) - sum(before.values())) / runs * 1000:.2f} |")
    print(f"\ncommits a run: {committed / runs:.2f}")


async def _walk(house: House, runs: int, at_a_time: int) -> None:
    free = asyncio.Semaphore(at_a_time)

    async def one(number: int) -> None:
        async with free:
            client = f"CLT-{number % 300 + 1:05d}"
            accepted = await accept(house, client, f"Cervejarias novas em San Diego e minhas cervejas {number}")
            await work(house, accepted.run_id)

    await asyncio.gather(*(one(number) for number in range(runs)))


def _cpu() -> dict[str, float]:
    """CPU seconds so far, of us and of the servers below us."""
    used = {"API and worker": time.process_time(), "PostgreSQL": 0.0, "Valkey": 0.0}
    for process in psutil.process_iter(["name", "cpu_times"]):
        name = {"postgres": "PostgreSQL", "valkey-server": "Valkey"}.get(process.info["name"] or "")
        if name:
            times = process.info["cpu_times"]
            used[name] += times.user + times.system + times.children_user + times.children_system
    return used


async def _commits(admin: asyncpg.Connection) -> int:
    return await admin.fetchval("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*(numbers + [3000, 200][len(numbers) :])))
