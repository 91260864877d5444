"""While one client sends the longest and worst messages, on the real catalogue, a neighbour notices nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from beerforyou.catalogue.sync import read_csv, store
from beerforyou.cli.demo import set_up
from beerforyou.db.connections import operator
from beerforyou.settings import Settings
from tests.api.conftest import MINE, bearer
from tests.conftest import FreshSettings
from tests.processes.neighbour import installed, undisturbed
from tests.reading.fuzz import longest

UNITS = [
    "Here and Now Brewing Co, ",
    "and Brewing Co, ",
    "Stone ",
    "me Ligue? By the Name of Stage? Riviera mokke ",
    "Kings Brewing Company. Xyzzy, Kegg, fourth. ",
    "not brewpub, no more Denver, ",
    "how much did I buy from The Beer Company? ",
]
AT_ONCE = 20  # as many as a client may have waiting or at work


@pytest.fixture(scope="module")
async def real_house(fresh_settings: FreshSettings, real_catalogue: Path) -> AsyncIterator[Settings]:
    """The demo's clients, who buy from the breweries of Open Brewery DB."""
    async with fresh_settings() as settings:
        async with operator(settings) as connection:
            await store(connection, read_csv(real_catalogue), "file")
        await set_up(settings)
        yield settings


async def test_the_worst_messages_hold_up_nobody_else(real_house: Settings, tmp_path: Path) -> None:
    texts = [form(longest(unit)) for unit in UNITS for form in (str, str.title, str.lower)]
    async with installed(real_house, tmp_path) as process, undisturbed(process, real_house) as waits:
        await waits.answered.wait()
        outcomes = [run["outcome"] for run in await _all(process.address, real_house, texts)]
    assert len(outcomes) == len(texts) and set(outcomes) <= {"answered", "clarification"}


async def _all(address: str, settings: Settings, texts: list[str]) -> list[dict[str, str]]:
    """The runs of these messages, so many at once as one client may have."""
    places = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(address, headers=bearer(settings, MINE, 600)) as http:

        async def one(text: str) -> dict[str, str]:
            async with places:
                async with http.post("/v1/runs", json={"message": text}) as response:
                    assert response.status == 202, await response.text()
                    run = (await response.json())["run_id"]
                async with http.get(f"/v1/runs/{run}", headers={"prefer": "wait=60"}) as response:
                    return await response.json()

        return await asyncio.gather(*map(one, texts))
