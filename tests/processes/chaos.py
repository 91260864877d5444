"""The chaos run: `make chaos`. Real processes and servers, killed while customers ask; then what was promised is counted.

The figures go to stdout as JSON, and the exit code is 1 when one of them is not as promised. The order of what goes wrong
comes from the seed; when exactly it does, from the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from beerforyou.db.migrate import migrate
from beerforyou.settings import Settings, env_name
from tests.processes import figures
from tests.processes.counters import Counters, Hook, Reaper
from tests.processes.customers import Customers
from tests.processes.fleet import Fleet, fleet
from tests.processes.house import House, furnish, house
from tests.processes.monkeys import Monkeys

CLIENTS = [f"CHAOS-{n:02}" for n in range(12)]
TOLD = CLIENTS[:5]  # those with webhooks; the first has two
SHORT = {
    "model": "gemini:simulated",
    "gemini_api_key": "none",
    "fallback_models": " ",  # nothing may hide a fault
    "lease_s": 2.0,
    "sweep_s": 0.5,
    "grace_s": 2.0,
    "max_crashes": 50,
    "model_timeout_s": 120.0,  # a busy machine is no fault of theirs: three hundred come at once
    "tool_timeout_s": 120.0,
    "run_timeout_s": 300.0,
    "database_pool": 4,
    "client_concurrency": 100,
    "webhook_networks": "127.0.0.0/8",
    "webhook_timeout_s": 5.0,
}
DELIVERED_S = 60.0  # for the last webhooks
TOLD_EVERY_S = 10.0


class Plan(msgspec.Struct, frozen=True):
    """`pace_s` is between two deaths at a place, `every_s` between two kills at random.

    Before any of it, so many `followers` come at once to so many runs.
    """

    seed: int
    followers: int = 300
    followed: int = 300
    runs: int = 1000
    at_once: int = 16
    pace_s: float = 1.0
    every_s: tuple[float, float] = (1.5, 3.0)
    accidents: dict[str, int] = msgspec.field(
        default_factory=lambda: {"postgresql": 3, "valkey": 1, "rabbitmq": 2, "flushall": 5, "sleep": 8}
    )


def quick(seed: int) -> Plan:
    once = dict.fromkeys(("postgresql", "valkey", "rabbitmq", "flushall", "sleep"), 1)
    return Plan(seed, followed=12, runs=60, at_once=16, pace_s=0.35, every_s=(5.0, 8.0), accidents=once)


async def chaos(plan: Plan) -> dict[str, Any]:
    """The figures of one run. Raises what keeps it from being one; the logs of one that broke a promise are kept."""
    logs, started = Path(tempfile.mkdtemp(prefix="beerforyou-chaos-logs-")), time.monotonic()
    counted: dict[str, Any] = {}
    with house() as servers:
        try:
            counted = await _counted(plan, servers, logs)
        finally:
            if not counted or figures.broken(counted):
                servers.keep_logs(logs)
                note(f"the logs are in {logs}")
            else:
                shutil.rmtree(logs)
    return {"seed": plan.seed, "seconds": round(time.monotonic() - started, 1)} | counted


async def _counted(plan: Plan, house: House, logs: Path) -> dict[str, Any]:
    house.settings = settings = msgspec.structs.replace(house.settings, **SHORT)
    await house.commit_times()
    await migrate(settings)
    await furnish(settings, CLIENTS)
    fleets: list[Fleet] = []
    reaper = Reaper(plan.pace_s, lambda: bool(fleets) and fleets[0].calm)
    async with Counters(reaper, plan.seed) as counters, AsyncExitStack() as stack:
        processes = await stack.enter_async_context(fleet(settings, environ(counters), logs))
        customers = await stack.enter_async_context(Customers(settings, processes, CLIENTS, plan.runs, plan.seed))
        await _register(customers, counters)
        await customers.come_all_at_once(plan.followers, plan.followed)
        crowd = figures.of_the_crowd(await figures.rows(settings), customers)
        monkeys = Monkeys(house, processes, plan.accidents, plan.every_s, plan.seed)
        fleets.append(processes)
        async with _restless(monkeys, customers, reaper) as over:
            await customers.ask(plan.at_once, lambda: not (reaper.everywhere and over.done()))
            await over
        fleets.clear()
        await _delivered(settings)
        ended = await asyncio.gather(*(process.end() for process in processes.processes))
        counted = figures.figures(await figures.rows(settings), customers, counters, reaper.deaths)
        return (
            crowd
            | counted
            | {
                "processes_that_did_not_end_well": sum(code != 0 for code in ended),
                "accidents": dict(monkeys.done),
                "exits": {str(code): times for code, times in processes.exits.items()},
            }
        )


def environ(counters: Counters) -> dict[str, str]:
    urls = {"BEERFORYOU_GEMINI_BASE_URL": counters.url, "CHAOS_URL": counters.url}
    return {env_name(name): str(value) for name, value in SHORT.items()} | urls


async def _register(customers: Customers, counters: Counters) -> None:
    for number, client in enumerate([*TOLD, TOLD[0]]):
        url = f"{counters.url}/hooks/{number}"
        made = await customers.send(client, "/v1/webhooks", {"url": url}, f"webhook {number}")
        counters.hooks[str(number)] = Hook(client, made["webhook_id"], made["secret"])


@asynccontextmanager
async def _restless(monkeys: Monkeys, customers: Customers, reaper: Reaper) -> AsyncIterator[asyncio.Task[None]]:
    """The monkeys are at it until the block ends; yields the task of those accidents that must have happened."""
    murders = asyncio.create_task(monkeys.murders())
    accidents = asyncio.create_task(monkeys.accidents(lambda: customers.progress))
    telling = asyncio.create_task(_tell(monkeys, customers, reaper))
    try:
        yield accidents
    finally:
        for task in (murders, accidents, telling):
            task.cancel()
        await asyncio.gather(murders, accidents, telling, return_exceptions=True)


async def _tell(monkeys: Monkeys, customers: Customers, reaper: Reaper) -> None:
    started = time.monotonic()
    while True:
        await asyncio.sleep(TOLD_EVERY_S)
        ended = sum(run.ended for run in customers.seen)
        places = sum(times > 0 for times in reaper.deaths.values())
        note(
            f"{time.monotonic() - started:4.0f} s: {ended} of {len(customers.seen)} runs ended; deaths at {places} places; {dict(monkeys.done)}"
        )


async def _delivered(settings: Settings) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DELIVERED_S):
            while await figures.undelivered(settings):  # noqa: ASYNC110
                await asyncio.sleep(0.2)


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def _until_told(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """SIGTERM ends it as Ctrl-C does: with everything stopped."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--quick", action="store_true", help="some 60 runs, one accident of each kind")
    options = parser.parse_args()
    note(f"seed {options.seed}")
    plan = quick(options.seed) if options.quick else Plan(options.seed, runs=options.runs)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            counted = runner.run(_until_told(chaos(plan)))
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        note(str(missing))
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    print(msgspec.json.format(msgspec.json.encode(counted), indent=2).decode())
    for name in figures.broken(counted):
        note(f"not as promised: {name} is {counted[name]}")
    return 1 if figures.broken(counted) else 0


if __name__ == "__main__":
    sys.exit(main())
