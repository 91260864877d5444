"""Many followers and few connections: everybody waits his turn and is served, and what was missed is looked up once for all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import pytest

from beerforyou.db import database
from beerforyou.db.database import ClientReads, Reads
from beerforyou.errors import Unavailable
from beerforyou.runs import following as rooms
from beerforyou.runs.journal import Entry
from beerforyou.runs.run import Event, EventType
from beerforyou.settings import Settings
from tests.api.talking import (
    SOON_S,
    Held,
    Replica,
    asked,
    call,
    ended,
    followed,
    followed_by,
    following,
    look,
    replica,
    rise,
    seen,
    wait_until,
)

RUNS, EACH = 6, 10
SHORT_S = 1.0  # what an answer may take here


@pytest.fixture(params=[1, 2])
async def crowd(settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Replica, list[str]]]:
    """A replica with so many connections a pool, and runs that nobody works on yet."""
    async with replica(settings, works=False, database_pool=request.param) as here:
        yield here, [(await asked(here.mine))["run_id"] for _ in range(RUNS)]


@pytest.fixture
async def silent(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Replica, str]]:
    """A run that the test writes and nobody publishes; the log is looked at often."""
    monkeypatch.setattr(rooms, "SILENT_S", 0.05)
    monkeypatch.setattr(rooms, "LOOK_S", 0.1)
    async with replica(settings, works=False) as here:
        run_id = (await asked(here.mine))["run_id"]
        claimed = await here.house.database.batch.write("runs.claim", UUID(run_id), "writer", 60.0, None)
        assert claimed["fencing_token"] == 1
        yield here, run_id


@pytest.fixture
def asks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each query is asked."""
    counts: Counter[str] = Counter()
    for reads in (Reads, ClientReads):
        for name in ("fetch", "fetchrow"):
            ask = getattr(reads, name)

            async def counted(self: Any, query: str, *args: Any, ask: Any = ask) -> Any:
                counts[query] += 1
                return await ask(self, query, *args)

            monkeypatch.setattr(reads, name, counted)
    return counts


@asynccontextmanager
async def held(here: Replica) -> AsyncIterator[None]:
    """All connections that read as a client are somebody else's."""
    pool = here.house.database._pools.client
    async with AsyncExitStack() as stack:
        for _ in range(here.house.settings.database_pool):
            await stack.enter_async_context(pool.acquire(timeout=10))
        yield


async def write(here: Replica, run_id: str, *types: EventType) -> None:
    """Committed, and not published; from the event on that comes after `started`."""
    steps, events = [Entry(seq=1, kind="model", name="none", input={}, output={})], told(*types)
    read = await call(here.mine, "GET", f"/v1/runs/{run_id}")
    row = (
        UUID(read.body["conversation_id"]),
        UUID(run_id),
        1,
        1,
        msgspec.json.encode(steps).decode(),
        msgspec.json.encode(events).decode(),
    )
    assert (await here.house.database.batch.write("runs.record", *row))["held"]


def told(*types: EventType) -> list[Event]:
    return [Event(seq=seq, type=type, data={}) for seq, type in enumerate(types, start=2)]


async def finish(here: Replica, run_id: str, last: int) -> None:
    talk = UUID((await look(here.mine, run_id)).body["conversation_id"])
    end = ("failed", "error_internal", None, "[]", "{}", [], "{}", "{}", "[]", "{}")
    row = await here.house.database.batch.write("runs.finish", talk, UUID(run_id), 1, 2, None, "[]", last, *end)
    assert row["held"]


async def test_whoever_comes_while_all_connections_are_taken_is_served_later(
    crowd: tuple[Replica, list[str]], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Followers, who wait with `Prefer`, and who just look: longer than an answer may take, and with nothing but 200."""
    monkeypatch.setattr(database, "LONGEST_S", SHORT_S)
    here, run_ids = crowd
    async with held(here):
        streams = [asyncio.create_task(followed(here.mine, run_id)) for run_id in run_ids * EACH]
        waits = [asyncio.create_task(look(here.mine, run_id, prefer="wait=30")) for run_id in run_ids * 2]
        looks = [asyncio.create_task(look(here.mine, run_id)) for run_id in run_ids * 2]
        done, _ = await asyncio.wait([*streams, *waits, *looks], timeout=1.2 * SHORT_S)
        assert not done
    assert {answer.status for answer in await asyncio.gather(*looks)} == {200}
    async with replica(settings):
        for events in await asyncio.gather(*streams):
            assert rise(event["id"] for event in events)
            assert (events[0]["event"], events[-1]["event"]) == ("started", "finished")
        assert {(answer.status, answer.body["status"]) for answer in await asyncio.gather(*waits)} == {
            (200, "succeeded")
        }


async def test_a_follower_looks_into_the_log_once(
    crowd: tuple[Replica, list[str]], settings: Settings, asks: Counter[str]
) -> None:
    here, run_ids = crowd
    streams = [asyncio.create_task(followed(here.mine, run_id)) for run_id in run_ids * EACH]
    await followed_by(here.house, *run_ids)
    async with replica(settings):
        await asyncio.gather(*streams)
    assert asks["runs.events"] == RUNS * EACH


async def test_what_all_missed_is_looked_up_for_all_at_once(
    crowd: tuple[Replica, list[str]], settings: Settings, asks: Counter[str]
) -> None:
    """The connection to Valkey is lost while they follow."""
    here, run_ids = crowd
    async with replica(settings, model := Held(), works=True) as there:
        streams = [asyncio.create_task(followed(here.mine, run_id)) for run_id in run_ids * EACH]

        async def all_follow() -> bool:
            return asks["runs.events"] == RUNS * EACH

        await wait_until(all_follow, "everybody has looked")
        assert await there.house.valkey("CLIENT", "KILL", "TYPE", "pubsub") >= 2
        model.go.set()
        for events in await asyncio.gather(*streams):
            assert rise(event["id"] for event in events)
            assert (events[0]["event"], events[-1]["event"]) == ("started", "finished")
    assert asks["runs.events"] == RUNS * EACH  # nobody looked from the beginning again
    assert (
        asks["runs.missed"] < RUNS * EACH
    )  # and what was missed, if the subscription was not back in time, for all at once


async def test_whose_publisher_died_before_it_published_is_told_all_the_same(silent: tuple[Replica, str]) -> None:
    here, run_id = silent
    async with following(here.mine, run_id) as first, following(here.mine, run_id) as second:
        await followed_by(here.house, run_id)
        await write(here, run_id, "tool_started")
        for events in (first, second):
            assert [event.id for event in await seen(events, "tool_started")] == [1, 2]
        await finish(here, run_id, last=3)
        for events in (first, second):
            assert [event.id for event in await seen(events)] == [3]


async def test_a_gap_is_filled_before_what_comes_after_it(
    silent: tuple[Replica, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what was told meanwhile; text is kept nowhere, and is in the answer."""
    monkeypatch.setattr(rooms, "SILENT_S", 1000.0)
    here, run_id = silent
    async with following(here.mine, run_id) as events:
        assert [event.id for event in await seen(events, "started")] == [1]
        await write(here, run_id, "tool_started", "tool_finished")
        for number in (4, 5):
            sentence = Event(seq=number, type="text", data={"text": "Oi."})
            here.house.publishing.under_way(UUID(int=7), UUID(run_id), number - 1, [sentence])
        await finish(here, run_id, last=6)
        published = Event(seq=6, type="finished", data={})
        here.house.publishing.ended(UUID(int=7), UUID(run_id), 5, [published], [6])
        got = await asyncio.wait_for(seen(events), SOON_S)
    assert [event.id for event in got if event.event != "text"] == [2, 3, 6] and rise(event.id for event in got)


@pytest.mark.parametrize("text_comes", ["as the next one", "after a gap", "twice", "after the end"])
async def test_what_is_published_is_told_in_order_and_once(
    silent: tuple[Replica, str], monkeypatch: pytest.MonkeyPatch, text_comes: str
) -> None:
    monkeypatch.setattr(rooms, "SILENT_S", 1000.0)
    here, run_id = silent
    needs = 2 if text_comes == "after a gap" else 1
    sentence = Event(seq=needs + 1, type="text", data={"text": "Oi."})
    tell = partial(here.house.publishing.under_way, UUID(int=7), UUID(run_id), needs, [sentence])
    async with following(here.mine, run_id) as events:
        await seen(events, "started")
        if text_comes != "after the end":
            tell()
            if text_comes == "twice":
                tell()
        await finish(here, run_id, last=9)
        end = Event(seq=9, type="finished", data={})
        here.house.publishing.ended(
            UUID(int=7), UUID(run_id), 1 if text_comes == "after the end" else needs + 1, [end], [6]
        )
        if text_comes == "after the end":
            tell()
        got = [event.id async for event in events]
    assert got == ([2, 9] if text_comes in ("as the next one", "twice") else [9])


@pytest.mark.parametrize("after", [2, 3, 4, 1000])
async def test_whatever_number_a_follower_names_he_is_told_of_an_end_that_nobody_published(
    silent: tuple[Replica, str], after: int
) -> None:
    here, run_id = silent
    await write(here, run_id, "tool_started")
    async with following(here.mine, run_id, after=after) as events:
        await followed_by(here.house, run_id)
        await finish(here, run_id, last=3)
        told = [event.id async for event in events]
    assert told == ([3] if after < 3 else [])


async def test_followers_outlive_a_look_that_fails(
    silent: tuple[Replica, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, run_id = silent
    fetch, failed = Reads.fetch, []

    async def failing(self: Any, query: str, *args: Any) -> Any:
        if query == "runs.missed" and len(failed) < 3:
            failed.append(query)
            raise Unavailable("the database does not answer")
        return await fetch(self, query, *args)

    monkeypatch.setattr(Reads, "fetch", failing)
    async with following(here.mine, run_id) as events:
        await followed_by(here.house, run_id)
        await write(here, run_id, "tool_started")
        assert [event.id for event in await seen(events, "tool_started")] == [1, 2]
    assert len(failed) == 3


async def test_nobody_looks_where_nobody_follows(silent: tuple[Replica, str], asks: Counter[str]) -> None:
    here, run_id = silent
    async with following(here.mine, run_id) as events:
        await followed_by(here.house, run_id)
        await write(here, run_id, "tool_started")
        await seen(events, "tool_started")

    async def nobody() -> bool:
        return here.house.following._task is None

    await wait_until(nobody, "the last follower is gone")
    before = asks["runs.missed"]
    await asyncio.sleep(3 * rooms.LOOK_S)
    assert asks["runs.missed"] == before


async def test_a_stranger_s_run_is_not_listened_to(crowd: tuple[Replica, list[str]]) -> None:
    here, run_ids = crowd
    for run_id in (run_ids[0], str(UUID(int=7))):
        assert (await call(here.theirs, "GET", f"/v1/runs/{run_id}/events")).status == 404
    assert not here.house.following._followers


async def test_who_hangs_up_while_he_waits_leaves_the_queue(crowd: tuple[Replica, list[str]]) -> None:
    here, run_ids = crowd
    async with held(here):
        streams = [asyncio.create_task(followed(here.mine, run_id)) for run_id in run_ids]

        async def all_wait() -> bool:
            return len(here.house.following._followers) == RUNS

        await wait_until(all_wait, "they wait")
        for stream in streams:
            stream.cancel()

        async def none_waits() -> bool:
            return not here.house.following._followers

        await wait_until(none_waits, "nobody is waited for")


PATHS = (
    ("GET", "/v1/runs/{}", None),
    ("GET", "/v1/runs/{}?include=steps", None),
    ("GET", "/v1/runs/{}/events", None),
    ("GET", "/v1/webhooks", None),
    ("POST", "/v1/runs", {"message": "oi"}),
    ("POST", "/v1/runs/{}/cancel", None),
)


async def test_who_waited_too_long_hears_that_we_are_busy_and_when_to_come_again(settings: Settings) -> None:
    async with replica(settings, works=False, database_pool=1, run_timeout_s=0.2) as here:
        run_id = (await asked(here.mine))["run_id"]
        async with held(here), here.house.database._pools.service.acquire(timeout=10):
            for method, path, body in PATHS:
                answer = await call(here.mine, method, path.format(run_id), body)
                assert (answer.status, answer.body["type"]) == (503, "urn:beerforyou:problem:busy"), path
                assert int(answer.headers["retry-after"]) >= 1 and "we are busy" in answer.body["detail"]
        for method, path, body in PATHS:
            path = path.replace("/events", "")
            assert (await call(here.mine, method, path.format(run_id), body)).status in (200, 202), path
        assert (await call(here.mine, "GET", "/readyz")).status == 200


async def test_a_run_that_ends_while_all_connections_are_taken_is_answered_afterwards(settings: Settings) -> None:
    async with replica(settings, model := Held(), database_pool=1) as here:
        run_id = (await asked(here.mine))["run_id"]
        await model.asked.wait()
        async with held(here):
            model.go.set()
            waiting = asyncio.create_task(ended(here.mine, run_id))
            assert await asyncio.wait([waiting], timeout=0.3) == (set(), {waiting})
        assert (await waiting)["status"] == "succeeded"
