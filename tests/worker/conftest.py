"""A house in which nobody else works."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from beerforyou.db.connections import operator
from beerforyou.house import House, opened
from beerforyou.settings import Settings

CLIENT = "CLT-00003"


@pytest.fixture
async def alone(settings: Settings) -> Settings:
    """A database that no other worker sweeps, with one client; sweeps and leases are short."""
    await bring_client(settings)
    return replace(settings, sweep_s=0.1, lease_s=0.9)


async def bring_client(settings: Settings) -> None:
    async with operator(settings) as connection:
        await connection.execute(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ($1, 'Bar', '', '', '', '', 'pt')",
            CLIENT,
        )


@pytest.fixture
async def quick(alone: Settings) -> AsyncIterator[House]:
    async with opened(alone) as house:
        yield house
