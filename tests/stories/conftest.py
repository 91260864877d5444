"""The installation that the stories happen in: demo data, the planner by rule, the HTTP API and a worker on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from beerforyou.api.tokens import mint
from beerforyou.house import House, opened
from beerforyou.isolation.through_http import served
from beerforyou.settings import Settings
from beerforyou.worker.worker import working
from tests.conftest import FreshSettings


class Bar:
    """A client, who speaks HTTP and JSON as any program would."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http

    async def get(self, path: str, **headers: str) -> Any:
        """The body, or the status where it is refused."""
        async with self.http.get(path, headers=headers) as response:
            return await response.json() if response.ok else response.status

    async def post(self, path: str, body: Any = None, **headers: str) -> Any:
        async with self.http.post(path, json=body, headers=headers) as response:
            return await response.json() if response.ok else response.status

    async def says(self, message: str, conversation_id: str | None = None) -> Any:
        """What a message becomes at once: a run, which somebody works on."""
        body = {"message": message} | ({"conversation_id": conversation_id} if conversation_id else {})
        return await self.post("/v1/runs", body)

    async def ended(self, run_id: str) -> Any:
        """The run with its steps, once it has ended."""
        return await self.get(f"/v1/runs/{run_id}?include=steps", prefer="wait=20")

    async def asks(self, message: str, conversation_id: str | None = None) -> Any:
        return await self.ended((await self.says(message, conversation_id))["run_id"])

    async def follows(self, run_id: str, after: int = 0) -> AsyncIterator[tuple[int, str, Any]]:
        """Events as they come: number, kind, data."""
        async with self.http.get(f"/v1/runs/{run_id}/events", headers={"last-event-id": str(after)}) as response:
            event: dict[str, str] = {}
            async for line in response.content:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                event[field] = value
                if field == "data":
                    yield int(event["id"]), event["event"], json.loads(value)


class Stuck:
    """A model that never answers."""

    name = "stuck:"

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def generate(self, *_: Any) -> Any:
        self.asked.set()
        await asyncio.Event().wait()

    async def close(self) -> None: ...


@pytest.fixture(scope="session")
async def furnished(fresh_settings: FreshSettings, demo: Settings) -> AsyncIterator[Settings]:
    """Soon seen when a worker is gone, and webhooks may go to receivers on loopback."""
    async with fresh_settings(demo) as settings:
        yield replace(settings, lease_s=0.9, sweep_s=0.1, grace_s=0.0, webhook_networks="127.0.0.0/8")


@pytest.fixture(scope="session")
async def house(furnished: Settings) -> AsyncIterator[House]:
    async with opened(furnished) as house:
        yield house


@pytest.fixture(scope="session")
async def address(house: House) -> AsyncIterator[str]:
    async with served(house) as address:
        yield address


@pytest.fixture
async def worker(house: House) -> AsyncIterator[None]:
    async with working(house):
        yield


@asynccontextmanager
async def entering(address: str, settings: Settings, client: str) -> AsyncIterator[Bar]:
    headers = {"authorization": f"Bearer {mint(settings, client, 300)}"}
    async with aiohttp.ClientSession(address, headers=headers) as http:
        yield Bar(http)


@pytest.fixture
async def bar(address: str, furnished: Settings) -> AsyncIterator[Bar]:
    """Bar do Mirante, of San Diego."""
    async with entering(address, furnished, "CLT-00001") as bar:
        yield bar


@pytest.fixture
async def neighbour(address: str, furnished: Settings) -> AsyncIterator[Bar]:
    async with entering(address, furnished, "CLT-00002") as bar:
        yield bar
