"""`serve --workers 2` and `worker --workers 2`: several real processes on one address, one of which may die."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from beerforyou.settings import Settings
from tests.api.conftest import MINE, bearer
from tests.cli.program import BEERFORYOU, environment
from tests.processes.fleet import Process
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

QUICK = {"BEERFORYOU_LEASE_S": "1", "BEERFORYOU_SWEEP_S": "0.1", "BEERFORYOU_GRACE_S": "5"}
SERVE = ("serve", "--workers", "2", "--port", "0", "--json")
WORK = ("worker", "--workers", "2")
RUNS = 8  # twice so many are fewer than one client may have


@asynccontextmanager
async def crew(settings: Settings, logs: Path, *args: str) -> AsyncIterator[Process]:
    process = Process(args[0], args, environment(settings) | QUICK, logs)
    process.keep()
    try:
        await process.ready_again()
        yield process
    finally:
        await process.end()


@pytest.fixture(scope="module")
async def demo_of_its_own(fresh_settings: Any, demo: Settings) -> AsyncIterator[Settings]:
    async with fresh_settings(demo) as settings:
        yield settings


@pytest.fixture(scope="module")
async def serving(demo_of_its_own: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Process]:
    async with crew(demo_of_its_own, tmp_path_factory.mktemp("crew"), *SERVE) as process:
        yield process


def children(pid: int) -> list[int]:
    """Those that are of the crew: each has one more, which judges SQL."""
    return [
        int(child)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if b"--child" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def sockets(pid: int) -> int:
    return sum(str(fd.readlink()).startswith("socket:") for fd in Path(f"/proc/{pid}/fd").iterdir())


async def all_gone(pids: list[int]) -> None:
    async def gone() -> bool:
        return not any(map(lives, pids))

    await wait_until(gone, "they end")


async def asked(settings: Settings, address: str) -> list[str]:
    """On connections of their own, so that both processes are asked; whose connection is cut asks again with the same key."""

    async def one(number: int) -> str:
        said = {"json": {"message": f"cervejarias em San Diego {number}"}, "headers": {"idempotency-key": str(uuid4())}}
        async with asyncio.timeout(40), aiohttp.ClientSession(address, headers=bearer(settings, MINE)) as http:
            while True:
                with contextlib.suppress(aiohttp.ClientConnectionError):
                    async with http.post("/v1/runs", **said) as response:
                        assert response.status == 202, await response.text()
                        return (await response.json())["run_id"]

    return list(await asyncio.gather(*map(one, range(RUNS))))


async def ended(settings: Settings, address: str, run_id: str) -> str:
    """As a client waits: whose connection is cut asks again."""
    async with asyncio.timeout(40), aiohttp.ClientSession(address, headers=bearer(settings, MINE)) as http:
        while True:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with http.get(f"/v1/runs/{run_id}", headers={"prefer": "wait=20"}) as response:
                    run = await response.json()
                    if response.status == 200 and run["finished_at"]:
                        return run["status"]


async def test_both_serve_at_one_address(serving: Process) -> None:
    both = children(serving.pid)
    before = [sockets(pid) for pid in both]
    host, port = serving.address.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(socket.create_connection((host, int(port))))

        async def spread() -> bool:
            return all(sockets(pid) - had > 8 for pid, had in zip(both, before, strict=True))

        await wait_until(spread, "both have connections")  # less than 9 of 64 for one: once in a billion
    assert len(both) == 2


async def test_one_that_is_killed_is_replaced_and_no_run_is_lost(serving: Process, demo_of_its_own: Settings) -> None:
    both, parent = children(serving.pid), serving.pid
    runs = await asked(demo_of_its_own, serving.address)
    os.kill(both[0], signal.SIGKILL)
    runs += await asked(demo_of_its_own, serving.address)
    ends = await asyncio.gather(*(ended(demo_of_its_own, serving.address, run_id) for run_id in runs))
    assert set(ends) == {"succeeded"}

    async def replaced() -> bool:
        now = children(parent)
        return len(now) == 2 and both[1] in now and both[0] not in now

    await wait_until(replaced, "another takes its place")
    assert parent == serving.pid and "signal 9" in serving.log.read_text()


@pytest.mark.parametrize(
    ("args", "signum"),
    [(SERVE, signal.SIGTERM), (SERVE, signal.SIGINT), (WORK, signal.SIGHUP)],
    ids=["serve-TERM", "serve-INT", "worker-HUP"],
)
async def test_a_signal_ends_all_of_them_gracefully(
    demo_of_its_own: Settings, tmp_path: Path, args: tuple[str, ...], signum: signal.Signals
) -> None:
    async with crew(demo_of_its_own, tmp_path, *args) as process:
        pids = [process.pid, *children(process.pid)]
        assert len(pids) == 3
        process._ending = True  # it is not to be started again
        process.send(signum)
        await all_gone(pids)

        async def told() -> bool:
            return bool(process.exits)

        await wait_until(told, "the parent's exit code is known")
        assert process.exits == {0: 1}
        assert "Traceback" not in process.log.read_text()


async def test_children_do_not_outlive_their_parent(demo_of_its_own: Settings, tmp_path: Path) -> None:
    async with crew(demo_of_its_own, tmp_path, *SERVE) as process:
        pids = children(process.pid)
        process._ending = True
        process.send(signal.SIGKILL)
        await all_gone(pids)


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"BEERFORYOU_MODEL": "nonsense"}, 1, "nonsense"),
        ({"BEERFORYOU_PORT": "taken"}, 2, "choose another --port"),
    ],
    ids=["a setting that is wrong", "an address that is taken"],
)
async def test_what_cannot_start_says_so_once_and_ends(
    demo_of_its_own: Settings, change: dict[str, str], code: int, says: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = environment(demo_of_its_own) | {"BEERFORYOU_PORT": "0"} | change
        if env["BEERFORYOU_PORT"] == "taken":
            env["BEERFORYOU_PORT"] = str(taken.getsockname()[1])
        program = (BEERFORYOU, "serve", "--workers", "3")
        process = await asyncio.create_subprocess_exec(*program, env=env, stderr=asyncio.subprocess.PIPE)
        _, told = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == code and says in told.decode(), told
