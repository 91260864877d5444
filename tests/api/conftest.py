"""The API as `serve` runs it: a real server on loopback, with a worker beside it."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from beerforyou.api.tokens import mint
from beerforyou.settings import Settings

MINE, THEIRS = "CLT-00001", "CLT-00002"


@pytest.fixture(scope="session")
async def address(service: Any) -> AsyncIterator[str]:
    from beerforyou.isolation.through_http import served
    from beerforyou.worker.worker import working

    async with working(service), served(service) as address:
        yield address


def bearer(settings: Settings, client: str, seconds: int = 60) -> dict[str, str]:
    return {"authorization": f"Bearer {mint(settings, client, seconds)}"}


@pytest.fixture
async def http(address: str, furnished: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """As the client MINE."""
    async with aiohttp.ClientSession(address, headers=bearer(furnished, MINE)) as session:
        yield session


@pytest.fixture
async def stranger(address: str, furnished: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """As the client THEIRS."""
    async with aiohttp.ClientSession(address, headers=bearer(furnished, THEIRS)) as session:
        yield session
