"""A crowd of one client's followers, at a pool that is far too small for it, is served to the end and is in nobody's way."""

import asyncio
from pathlib import Path

import aiohttp

from beerforyou.settings import Settings
from tests.api.conftest import MINE, bearer
from tests.api.talking import ASK, followed
from tests.processes.neighbour import installed, undisturbed

FOLLOWERS, AT_ONCE, ROUNDS = 300, 100, 3


async def test_a_crowd_of_followers_at_a_small_pool_is_in_nobody_s_way(furnished: Settings, tmp_path: Path) -> None:
    """Those who look again and again come at the same time; everybody else has a turn between any two of them."""
    small = {"BEERFORYOU_DATABASE_POOL": "2"}
    everybody = aiohttp.TCPConnector(limit=0)
    async with (
        installed(furnished, tmp_path, small) as process,
        aiohttp.ClientSession(process.address, headers=bearer(furnished, MINE, 600), connector=everybody) as http,
    ):
        async with http.post("/v1/runs", json=ASK) as response:
            run_id = (await response.json())["run_id"]
        await followed(http, run_id)
        places = asyncio.Semaphore(AT_ONCE)

        async def one() -> str:
            async with places:
                return (await followed(http, run_id))[-1]["event"]

        async with undisturbed(process, furnished):
            for _ in range(ROUNDS):
                assert set(await asyncio.gather(*(one() for _ in range(FOLLOWERS)))) == {"finished"}
