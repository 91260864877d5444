"""Replicas of a house of one's own, for tests that need several of them, none with a worker, or a model that holds still;
and what is said to them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import aiohttp
import asyncpg
from msgspec.structs import replace

from beerforyou.db.connections import operator
from beerforyou.house import House, opened
from beerforyou.isolation.through_http import served
from beerforyou.llm.model import Model, Reply, Request, TextPart
from beerforyou.runs.following import channel
from beerforyou.settings import Settings
from beerforyou.worker.worker import working
from tests.api.conftest import MINE, THEIRS, bearer
from tests.api.test_http import ASK, asked, followed, rise
from tests.waiting import wait_until
from tests.worker.test_worker import Held, Steps

__all__ = [
    "ASK",
    "Answer",
    "Held",
    "Replica",
    "Steps",
    "Talker",
    "asked",
    "followed",
    "rise",
    "wait_until",
]  # from one place

SOON_S = 5.0  # well below what a heartbeat (10 s), a heartbeat comment (15 s) or a wait of 60 s would take


class Talker(Held):
    """Says which question it answers, once it may; `requests` is what it was told, `most` how many it had at once."""

    def __init__(self, holds: bool = False) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.now = self.most = 0
        if not holds:
            self.go.set()

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        self.requests.append(request)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await super().generate(request, on_text)
        finally:
            self.now -= 1
        return Reply(parts=(TextPart(f"About {texts(request)[-1]!r}."),))

    async def told(self, times: int) -> None:
        async def so_often() -> bool:
            return len(self.requests) >= times

        await wait_until(so_often, f"the model is called {times} times")


def texts(request: Request) -> list[str]:
    """All that was said, by both sides, oldest first."""
    return [part.text for message in request.messages for part in message.parts if isinstance(part, TextPart)]


class Replica(NamedTuple):
    """One process, as it were: what it has open, and its API as two clients see it."""

    house: House
    mine: aiohttp.ClientSession
    theirs: aiohttp.ClientSession


@asynccontextmanager
async def replica(
    settings: Settings, model: Model | None = None, *, works: bool = True, **changes: Any
) -> AsyncIterator[Replica]:
    """With two clients, and nobody else's work in the database. It sweeps often and ends without grace."""
    await _bring_clients(settings)
    quick = replace(settings, **{"sweep_s": 0.1, "grace_s": 0.0} | changes)
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(opened(quick))
        house.model = model or house.model
        address = await stack.enter_async_context(served(house))
        if works:
            await stack.enter_async_context(working(house))
        mine, theirs = [
            await stack.enter_async_context(aiohttp.ClientSession(address, headers=bearer(settings, client)))
            for client in (MINE, THEIRS)
        ]
        yield Replica(house, mine, theirs)


async def _bring_clients(settings: Settings) -> None:
    async with operator(settings) as connection:
        await connection.executemany(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language)"
            " VALUES ($1, 'Bar', '', '', '', '', 'pt') ON CONFLICT DO NOTHING",
            [(MINE,), (THEIRS,)],
        )


async def written(settings: Settings) -> dict[str, int]:
    """How much there is in each table that a request may write to."""
    tables = ("conversations", "runs", "messages", "idempotency_keys")
    counts = ", ".join(f"(SELECT count(*) FROM core.{table}) AS {table}" for table in tables)
    connection = await asyncpg.connect(settings.database_admin_url)
    try:
        return dict(await connection.fetchrow(f"SELECT {counts}"))
    finally:
        await connection.close()


class Answer(NamedTuple):
    status: int
    headers: Any
    body: Any


async def call(http: aiohttp.ClientSession, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    """`if_none_match="*"` is a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.request(method, path, json=body, headers=named) as response:
        read = await response.read()
        return Answer(response.status, response.headers, json.loads(read) if read else None)


async def look(http: aiohttp.ClientSession, run_id: str, **headers: str) -> Answer:
    return await call(http, "GET", f"/v1/runs/{run_id}", **headers)


async def cancel(http: aiohttp.ClientSession, run_id: str, **headers: str) -> Answer:
    return await call(http, "POST", f"/v1/runs/{run_id}/cancel", **headers)


async def ended(http: aiohttp.ClientSession, run_id: str) -> dict[str, Any]:
    run = (await look(http, run_id, prefer="wait=20")).body
    assert run["finished_at"], run
    return run


async def messages(http: aiohttp.ClientSession, accepted: dict[str, Any]) -> list[tuple[str, str]]:
    """Of the run's conversation: who said what."""
    answer = await call(http, "GET", f"/v1/conversations/{accepted['conversation_id']}")
    assert answer.status == 200, answer
    return [(message["role"], message["text"]) for message in answer.body["messages"]]


class ServerSent(NamedTuple):
    """`id` is 0 where it has none of its own."""

    id: int
    event: str
    data: Any


@asynccontextmanager
async def following(
    http: aiohttp.ClientSession, run_id: str, after: int = 0
) -> AsyncIterator[AsyncIterator[ServerSent]]:
    """The run's events as they come."""
    headers = {"last-event-id": str(after)}
    async with http.get(f"/v1/runs/{run_id}/events", headers=headers) as response:
        assert response.status == 200, await response.text()
        async with aclosing(server_sent(response.content)) as events:
            yield events


@asynccontextmanager
async def asking(
    http: aiohttp.ClientSession, body: Any = ASK, accept: str = "text/event-stream", **headers: str
) -> AsyncIterator[tuple[dict[str, Any], AsyncIterator[ServerSent]]]:
    """A message that is answered with the run's events: what it was accepted as, and those."""
    named = {"accept": accept} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.post("/v1/runs", json=body, headers=named) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream"), await response.text()
        async with aclosing(server_sent(response.content)) as events:
            accepted = await anext(events)
            assert (accepted.id, accepted.event) == (0, "accepted")
            yield accepted.data, events


async def server_sent(lines: aiohttp.StreamReader) -> AsyncIterator[ServerSent]:
    """text/event-stream as the HTML standard reads it (9.2.6), as far as one that is not broken off goes."""
    fields: dict[str, list[str]] = {}
    async for line in lines:
        text = line.decode().rstrip("\r\n")
        name, _, value = text.partition(":")
        if name:
            fields.setdefault(name, []).append(value.removeprefix(" "))
        elif not text and "data" in fields:
            data = json.loads("\n".join(fields["data"]))
            yield ServerSent(int(fields.get("id", ["0"])[-1]), fields.get("event", ["message"])[-1], data)
        fields = fields if text else {}


async def seen(events: AsyncIterator[ServerSent], last: str = "finished") -> list[ServerSent]:
    """What comes, up to the first event of that type."""
    found: list[ServerSent] = []
    async with asyncio.timeout(20):
        async for event in events:
            found.append(event)
            if event.event == last:
                return found
    raise AssertionError(f"the stream ended without {last}: {found}")


def kept(events: Iterable[ServerSent]) -> list[ServerSent]:
    """What whoever comes later is told, too."""
    return [event for event in events if event.event != "text"]


async def forget(house: House, *, conversations: int = 30, ledger: int = 30) -> None:
    """What is older than so many days: -1 is all there is."""
    await house.database.batch.alone("housekeeping.partitions", conversations, ledger)


async def followed_by(house: House, *run_ids: str, followers: int = 1) -> None:
    """Returns once each run has so many processes that listen to it."""
    channels = [channel(UUID(run_id)) for run_id in run_ids]

    async def heard() -> bool:
        counts = (await house.valkey("PUBSUB", "NUMSUB", *channels))[1::2]
        return all(count >= followers for count in counts)

    await wait_until(heard, "the runs are listened to")
