"""A client of the same installation, who must not notice what somebody else sends.

`installed` is `serve` as an operator runs it; `undisturbed` asks it, as another client and as a load balancer would, for as
long as its block lasts. A bare server in a process of its own is asked beside it: what that one takes is the machine's.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from beerforyou.settings import Settings
from tests.api.conftest import THEIRS, bearer
from tests.cli.program import environment
from tests.processes.fleet import Process

HEALTH_S, ANSWER_S = 0.2, 2.0  # what a neighbour may have to wait, on a machine that has nothing else to do
PAUSE_S = 0.05
QUESTION = "quanto gastei este ano?"
BARE = """
import asyncio
async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\nconnection: close\\r\\n\\r\\n")
    writer.close()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


class Waits:
    """The longest that anybody waited, in seconds: for `/healthz`, an answer, and the bare server."""

    def __init__(self) -> None:
        self.health = self.answer = self.bare = 0.0
        self.answers = 0
        self.answered = asyncio.Event()  # since it was last cleared


@asynccontextmanager
async def installed(settings: Settings, logs: Path, env: Mapping[str, str] | None = None) -> AsyncIterator[Process]:
    """`serve` with its worker, in a process of its own; `address` and `log` are the process's."""
    process = Process("serve", ("serve", "--port", "0", "--json"), environment(settings) | (env or {}), logs)
    process.keep()
    try:
        await process.ready_again()
        yield process
    finally:
        await process.end()


@asynccontextmanager
async def undisturbed(
    address: str, settings: Settings, client: str = THEIRS, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Waits]:
    """Fails when a neighbour waited longer than he may, beyond what the machine itself made everybody wait.

    `headers` hold his token where it is not one of ours.
    """
    waits = Waits()
    async with _bare() as bare:
        asking = [
            asyncio.create_task(job)
            for job in (
                _health(address, bare, waits),
                _answers(address, headers or bearer(settings, client, 600), waits),
            )
        ]
        gc.disable()  # what the collector of the tests takes is not the server's: a third of a second on a busy machine
        try:
            yield waits
            await _one_more(waits, asking)
        finally:
            gc.enable()
            for task in asking:
                task.cancel()
            ended = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
    said = f"/healthz {waits.health:.3f} s, an answer {waits.answer:.3f} s, the machine {waits.bare:.3f} s"
    assert waits.health <= HEALTH_S + waits.bare and waits.answer <= ANSWER_S + 5 * waits.bare, said


async def _one_more(waits: Waits, asking: list[asyncio.Task[None]]) -> None:
    """The question that is under way, to its end: one that never comes must not go unseen."""
    waits.answered.clear()
    answered = asyncio.create_task(waits.answered.wait())
    await asyncio.wait([answered, *asking], return_when=asyncio.FIRST_COMPLETED)
    answered.cancel()


@asynccontextmanager
async def _bare() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", BARE, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


async def _health(address: str, bare: str, waits: Waits) -> None:
    while True:
        waits.bare = max(waits.bare, await _took(bare))
        waits.health = max(waits.health, await _took(f"{address}/healthz"))
        await asyncio.sleep(PAUSE_S)


async def _took(url: str) -> float:
    """On a connection of its own, as a load balancer's."""
    started = time.perf_counter()
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.status == 200, await response.text()
    return time.perf_counter() - started


async def _answers(address: str, headers: Mapping[str, str], waits: Waits) -> None:
    async with aiohttp.ClientSession(address, headers=headers) as http:
        while True:
            started = time.perf_counter()
            async with http.post("/v1/runs", json={"message": QUESTION}) as response:
                assert response.status == 202, await response.text()
                accepted = await response.json()
            url, patience = f"/v1/runs/{accepted['run_id']}", {"prefer": "wait=60"}
            async with http.get(url, headers=patience) as response:
                run = await response.json()
            assert run["outcome"] == "answered", run
            waits.answer, waits.answers = max(waits.answer, time.perf_counter() - started), waits.answers + 1
            waits.answered.set()
            await asyncio.sleep(PAUSE_S)
