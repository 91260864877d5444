"""Two `serve` with different models on the same data, as two operators' shells start them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from beerforyou.llm.model import Reply, TextPart
from beerforyou.settings import Settings
from bench.model_server.script import Ask
from bench.model_server.server import ModelServer
from tests.api.conftest import MINE, THEIRS, bearer
from tests.processes.fleet import Process
from tests.processes.neighbour import installed

QUICK = {
    "BEERFORYOU_LEASE_S": "1",
    "BEERFORYOU_SWEEP_S": "0.1",
    "BEERFORYOU_GRACE_S": "0",
    "BEERFORYOU_FALLBACK_MODELS": "",
}
QUESTION = "conte uma curiosidade sobre lúpulo e harmonização"  # which no rule answers
RUNS = 6


def saying(name: str) -> Callable[[Ask], Reply]:
    return lambda ask: Reply(parts=(TextPart(f"{ask.model} at {name}."),))


@asynccontextmanager
async def serving(settings: Settings, logs: Path, model: str, **env: str) -> AsyncIterator[Process]:
    async with installed(settings, logs, QUICK | env | {"BEERFORYOU_MODEL": model}) as process:
        yield process


async def asked(process: Process, settings: Settings, client: str) -> str:
    async with aiohttp.ClientSession(process.address, headers=bearer(settings, client, 600)) as http:
        async with http.post("/v1/runs", json={"message": QUESTION}) as response:
            assert response.status == 202, await response.text()
            run: dict[str, Any] = await response.json()
        return str(run["run_id"])


async def answer(process: Process, settings: Settings, client: str, run: str) -> dict[str, Any]:
    url, headers = f"{process.address}/v1/runs/{run}", bearer(settings, client, 600) | {"prefer": "wait=60"}
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as response:
        found: dict[str, Any] = await response.json()
        return found


async def test_each_answers_what_it_was_asked_and_what_is_left_is_taken(
    fresh_settings: Any, demo: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with AsyncExitStack() as stack:
        settings = await stack.enter_async_context(fresh_settings(demo))
        a, b = [await stack.enter_async_context(ModelServer(saying(name), keep=False)) for name in "AB"]
        one = await stack.enter_async_context(
            serving(settings, tmp_path_factory.mktemp("one"), "compatible:small", BEERFORYOU_COMPATIBLE_BASE_URL=a.url)
        )
        other = await stack.enter_async_context(
            serving(settings, tmp_path_factory.mktemp("other"), "openai-chat:gpt-4.1", BEERFORYOU_OPENAI_BASE_URL=b.url)
        )
        for process, client, said in ((one, MINE, "small at A."), (other, THEIRS, "gpt-4.1 at B.")):
            runs = [await asked(process, settings, client) for _ in range(RUNS)]
            assert {(await answer(process, settings, client, run))["text"] for run in runs} == {said}

        a.latency_s = 60.0  # they are handed back when their only process ends
        left = [await asked(one, settings, MINE) for _ in range(RUNS)]
        await one.end()
        assert {(await answer(other, settings, MINE, run))["text"] for run in left} == {"gpt-4.1 at B."}
        assert "compatible:small" in other.log.read_text(), "the log says whose runs they were"
