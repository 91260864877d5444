"""What becomes of followers who all connect at once to one `serve`, with the pool that it has by default.

    .venv/bin/python bench/followers.py [FOLLOWERS] [RUNS]

They follow runs that nobody works on yet; once all of them are served or refused, a worker comes and answers. Each follower
needs a connection of his own, here and there: see `ulimit -n`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import uvloop

from beerforyou.api.tokens import mint
from beerforyou.db.migrate import migrate
from beerforyou.house import prepared
from beerforyou.settings import Settings, load
from tests.cli.program import environment
from tests.processes.fleet import API, Process
from tests.processes.house import furnish

CLIENTS = [f"CLT-{number:03}" for number in range(50)]
LONGEST_S = 300.0


async def main(followers: int, runs: int) -> None:
    with tempfile.TemporaryDirectory(prefix="beerforyou-bench-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 (nothing else runs yet)
        async with prepared(load({}, data=Path(folder))) as settings, AsyncExitStack() as stack:
            await migrate(settings)
            await furnish(settings, CLIENTS)
            logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            env = environment(settings) | {"BEERFORYOU_CLIENT_CONCURRENCY": "1000"}
            serve, worker = Process("serve", API, env, logs), Process("worker", ("worker",), env, logs)
            for process in (serve, worker):
                stack.push_async_callback(process.end)
            serve.keep()
            await serve.ready_again()
            await _measure(settings, serve, worker, followers, runs)


async def _measure(settings: Settings, serve: Process, worker: Process, followers: int, runs: int) -> None:
    headers = {client: {"Authorization": f"Bearer {mint(settings, client, 3600)}"} for client in CLIENTS}
    timeout = aiohttp.ClientTimeout(total=None, sock_read=LONGEST_S)
    served, counts = asyncio.Semaphore(0), Counter[str]()
    async with aiohttp.ClientSession(serve.address, connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as http:
        asked = [await _asked(http, headers[CLIENTS[number % len(CLIENTS)]]) for number in range(runs)]
        begun = time.perf_counter()
        following = [
            asyncio.create_task(
                _follow(http, headers[CLIENTS[n % runs % len(CLIENTS)]], asked[n % runs], served, counts)
            )
            for n in range(followers)
        ]
        for _ in range(followers):
            await served.acquire()
        connected = time.perf_counter() - begun
        worker.keep()
        await asyncio.wait(following)
        ended = time.perf_counter() - begun - connected
    print(f"{followers} followers of {runs} runs: {dict(counts)}; ", end="")
    print(f"all served or refused after {connected:.1f} s, all told of the end {ended:.1f} s after a worker started")


async def _asked(http: aiohttp.ClientSession, headers: dict[str, str]) -> str:
    async with http.post("/v1/runs", json={"message": "oi"}, headers=headers) as response:
        assert response.status == 202, await response.text()
        return str((await response.json())["run_id"])


async def _follow(
    http: aiohttp.ClientSession, headers: dict[str, str], run_id: str, served: asyncio.Semaphore, counts: Counter[str]
) -> None:
    answered = False
    try:
        async with http.get(f"/v1/runs/{run_id}/events", headers=headers) as response:
            answered = True
            served.release()
            body = await response.read()
            whole = b"event: finished" in body
            counts[
                "followed to the end" if whole else f"refused {response.status}" if response.status != 200 else "cut"
            ] += 1
    except (aiohttp.ClientError, TimeoutError) as error:
        counts[type(error).__name__] += 1
        if not answered:
            served.release()


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*(numbers + [5000, 500][len(numbers) :])))
