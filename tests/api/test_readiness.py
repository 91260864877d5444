"""`/readyz` with the fence down."""

import aiohttp
import asyncpg
import pytest
from msgspec import structs

from beerforyou.health import CHECKS
from beerforyou.house import House


async def test_readyz_refuses_while_the_fence_is_down(
    house: House, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await asyncpg.connect(house.settings.database_admin_url)
    try:
        await admin.execute("GRANT SELECT ON core.beers TO bfy_reader")
        monkeypatch.setattr("beerforyou.health.CHECKS", [structs.replace(check, fresh_s=0.0) for check in CHECKS])
        async with aiohttp.ClientSession(address) as http, http.get("/readyz") as response:
            assert response.status == 503 and (await response.json())["down"] == ["fence"]
    finally:
        await admin.execute("REVOKE SELECT ON core.beers FROM bfy_reader")
        await admin.close()
    async with aiohttp.ClientSession(address) as http, http.get("/readyz") as response:
        assert response.status == 200
