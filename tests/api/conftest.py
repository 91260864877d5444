"""The API as `serve` runs it: a real server on loopback, with a worker beside it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from beerforyou.api.tokens import mint
from beerforyou.house import House, opened
from beerforyou.settings import Settings
from tests.conftest import FreshSettings

MINE, THEIRS = "CLT-00001", "CLT-00002"
NOBODYS = "4c1a5f0e-7a34-4f0c-9d63-0d6a1e8a2b11"  # an id of nothing


@pytest.fixture(scope="session")
async def furnished(fresh_settings: FreshSettings, demo: Settings) -> AsyncIterator[Settings]:
    """Of these tests alone: their worker would take the runs of those who walk them themselves."""
    async with fresh_settings(demo) as settings:
        yield settings


@pytest.fixture(scope="session")
async def house(furnished: Settings) -> AsyncIterator[House]:
    async with opened(furnished) as house:
        yield house


@pytest.fixture(scope="session")
async def address(house: House) -> AsyncIterator[str]:
    from beerforyou.isolation.through_http import served
    from beerforyou.worker.worker import working

    async with working(house), served(house) as address:
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
