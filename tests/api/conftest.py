"""The API as `serve` runs it: a real server on loopback, with a worker beside it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import uvicorn

from beerforyou.api.tokens import mint
from beerforyou.settings import Settings

MINE, THEIRS = "CLT-00001", "CLT-00002"


@pytest.fixture(scope="session")
async def address(service: Any) -> AsyncIterator[str]:
    from beerforyou.api.app import app
    from beerforyou.worker.worker import working

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app(service), lifespan="off", log_level="warning"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with working(service):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


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
