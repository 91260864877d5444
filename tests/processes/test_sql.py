"""A model that writes the worst SQL there is for one client, and another client who must not notice."""

from pathlib import Path

import aiohttp
import asyncpg
import pytest

from beerforyou.isolation.attack import VIEWS, filled, ours
from beerforyou.isolation.watching import SESSION_MB, _private_mb
from beerforyou.llm.model import Reply, TextPart, ToolCall
from beerforyou.servers.postgres import MEMORY_MB
from beerforyou.settings import Settings
from bench.model_server.script import Ask
from bench.model_server.server import ModelServer
from tests.api.conftest import MINE, bearer
from tests.processes.neighbour import installed, undisturbed
from tests.waiting import wait_until

SQL = {attack.id: filled(attack.written, VIEWS) for attack in ours()}
HONEST = "SELECT sum(amount) AS amount FROM my_purchases"
AT_ONCE = 10
READERS = "SELECT pid, state FROM pg_stat_activity WHERE usename = 'bfy_reader' AND datname = current_database()"


def written(ask: Ask) -> Reply:
    """SQL for each question, named in it by the attacker; a sentence once there is a result."""
    if ask.results:
        return Reply(parts=(TextPart("Pronto."),))
    said = " ".join(part.text for message in ask.messages for part in message.parts if isinstance(part, TextPart))
    wanted = next((SQL[word] for word in said.split() if word in SQL), HONEST)
    return Reply(parts=(ToolCall("", "run_sql", {"sql": wanted}),))


@pytest.mark.parametrize(
    "worst",
    [
        ("nested-01", "nested-04", "nested-07", "nested-12", "nested-17"),
        ("grown-02", "grown-09", "grown-16", "grown-23", "grown-28"),
        ("product-02", "product-03", "regex-01", "zone-03", "cartesian-05"),
    ],
    ids=["the parser's", "the planner's", "the executor's"],
)
async def test_a_neighbour_notices_nothing(furnished: Settings, tmp_path: Path, worst: tuple[str, ...]) -> None:
    admin = await asyncpg.connect(furnished.database_admin_url)
    started = await admin.fetchval("SELECT pg_postmaster_start_time()")
    async with ModelServer(written, keep=False) as model:
        env = {
            "BEERFORYOU_MODEL": "gemini:gemini-2.5-flash",
            "GEMINI_API_KEY": "none",
            "BEERFORYOU_GEMINI_BASE_URL": model.url,
        }
        async with (
            installed(furnished, tmp_path, env) as process,
            undisturbed(process, furnished) as waits,
            aiohttp.ClientSession(process.address, headers=bearer(furnished, MINE, 600)) as http,
        ):
            await waits.answered.wait()
            runs = [await _asked(http, f"quanto gastei com {worst[n % len(worst)]} ?") for n in range(AT_ONCE)]
            for run in runs:
                async with http.get(f"/v1/runs/{run}", headers={"prefer": "wait=60"}) as response:
                    assert (await response.json())["status"] in ("succeeded", "failed")
            await wait_until(lambda: _quiet(admin), "nothing runs any more")
            sizes = [_private_mb(row["pid"]) or 0 for row in await admin.fetch(READERS)]
            assert max(sizes, default=0) < SESSION_MB < MEMORY_MB
    assert waits.answers > 1 and model.count > AT_ONCE
    assert await admin.fetchval("SELECT pg_postmaster_start_time()") == started
    await admin.close()


async def _asked(http: aiohttp.ClientSession, message: str) -> str:
    async with http.post("/v1/runs", json={"message": message}) as response:
        assert response.status == 202, await response.text()
        return str((await response.json())["run_id"])


async def _quiet(admin: asyncpg.Connection) -> bool:
    return all(row["state"] == "idle" for row in await admin.fetch(READERS))
