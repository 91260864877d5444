"""Clients whose receivers hang, beside one whose receiver answers, in a real process."""

import asyncio
from pathlib import Path

import aiohttp

from beerforyou.settings import Settings
from beerforyou.webhooks.registry import MOST
from tests.api.conftest import THEIRS, bearer
from tests.processes.neighbour import QUESTION, installed, undisturbed
from tests.webhooks.test_delivery import Receiver, receiving, until

HANGING = [f"CLT-{n:05}" for n in range(10, 22)]
PATIENCE_S = 60.0  # of an attempt: longer than the test, so that each place that is taken stays taken


async def test_hanging_receivers_delay_nobody(furnished: Settings, tmp_path: Path) -> None:
    env = {"BEERFORYOU_WEBHOOK_NETWORKS": "127.0.0.0/8", "BEERFORYOU_WEBHOOK_TIMEOUT_S": str(PATIENCE_S)}
    async with (
        receiving(Receiver(silent=True)) as hanging,
        receiving(Receiver()) as quick,
        installed(furnished, tmp_path, env) as process,
        aiohttp.ClientSession(process.address) as http,
    ):
        made = [await _webhook(http, furnished, THEIRS, quick.url)]
        made += [await _webhook(http, furnished, client, hanging.url) for client in HANGING for _ in range(MOST)]
        try:
            async with undisturbed(process, furnished) as waits:
                await asyncio.gather(*(_ask(http, furnished, client) for client in HANGING))
                await until(lambda: len(hanging.posts) > 5 * len(HANGING), "they hang", 30)
                told, answers = len(quick.posts), waits.answers
                await until(lambda: waits.answers >= answers + 5, "the neighbour is answered", 30)
                await until(lambda: len(quick.posts) >= told + 5, "and told of it", 30)
        finally:
            for client, webhook in made:
                await http.delete(f"/v1/webhooks/{webhook}", headers=bearer(furnished, client))


async def _webhook(http: aiohttp.ClientSession, settings: Settings, client: str, url: str) -> tuple[str, str]:
    async with http.post("/v1/webhooks", json={"url": url}, headers=bearer(settings, client)) as response:
        assert response.status == 201, await response.text()
        return client, (await response.json())["webhook_id"]


async def _ask(http: aiohttp.ClientSession, settings: Settings, client: str) -> None:
    async with http.post("/v1/runs", json={"message": QUESTION}, headers=bearer(settings, client)) as response:
        assert response.status == 202, await response.text()
