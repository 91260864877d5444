"""A request that is sent again with its Idempotency-Key is done once, and gets the answer of the first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from beerforyou.settings import Settings
from tests.api.conftest import MINE, NOBODYS
from tests.api.talking import ASK, Answer, asked, call, cancel, ended, look, messages, replica, written

KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
ONE_RUN = {"conversations": 1, "runs": 1, "messages": 1, "idempotency_keys": 1}


async def ask(http: aiohttp.ClientSession, body: Any = ASK, key: str = KEY) -> Answer:
    return await call(http, "POST", "/v1/runs", body, idempotency_key=key)


async def test_a_repeated_request_names_the_run_of_the_first(settings: Settings) -> None:
    async with replica(settings, works=False) as here, replica(settings, works=False) as there:
        first, again, elsewhere = await ask(here.mine), await ask(here.mine), await ask(there.mine)
        assert first.status == again.status == elsewhere.status == 202
        assert first.body == again.body == elsewhere.body
        assert first.headers["location"] == again.headers["location"] == f"/v1/runs/{first.body['run_id']}"
        assert await written(settings) == ONE_RUN
        assert (await ask(here.mine, key="another")).body["run_id"] != first.body["run_id"]


async def test_a_repeated_request_is_not_answered_twice(settings: Settings) -> None:
    async with replica(settings) as here:
        first = await ask(here.mine)
        run = await ended(here.mine, first.body["run_id"])
        assert (await ask(here.mine)).body == first.body
        assert (await look(here.mine, first.body["run_id"])).body == run
        assert len(await messages(here.mine, first.body)) == 2


async def test_a_repeated_interruption_interrupts_nothing_new(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        first = await asked(here.mine)
        interrupting = ASK | {"conversation_id": first["conversation_id"], "on_busy": "interrupt"}
        assert (await ask(here.mine, interrupting)).status == 202
        last = await asked(here.mine, interrupting | {"on_busy": "enqueue"})
        assert (await ask(here.mine, interrupting)).status == 202
        open_runs = [(await look(here.mine, run["run_id"])).body["cancel_at"] is None for run in (first, last)]
        assert open_runs == [False, True]


async def test_requests_at_once_make_one_run(settings: Settings) -> None:
    async with replica(settings, works=False) as here, replica(settings, works=False) as there:
        answers = await asyncio.gather(*(ask(http) for http in (here.mine, there.mine) * 10))
    accepted = [answer.body["run_id"] for answer in answers if answer.status == 202]
    refused = [answer for answer in answers if answer.status != 202]
    assert len(set(accepted)) == 1
    assert {answer.status for answer in refused} <= {409}
    assert await written(settings) == ONE_RUN


async def test_an_equal_request_that_is_under_way_is_waited_for(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        async with under_way(settings):
            refused, another = await ask(here.mine), await ask(here.mine, key="another")
            assert (refused.status, refused.body["type"]) == (409, "urn:beerforyou:problem:conflict")
            assert another.status == 202
            assert await written(settings) == ONE_RUN
        assert (await ask(here.mine)).status == 202


@asynccontextmanager
async def under_way(settings: Settings) -> AsyncIterator[None]:
    """A request of MINE with KEY, in another process, that is not committed yet."""
    connection = await asyncpg.connect(settings.database_admin_url)
    async with connection.transaction():
        await connection.execute("SELECT core.once($1, $2, 'sent', NULL)", MINE, KEY)
        yield
    await connection.close()


async def test_a_key_belongs_to_its_request(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        first = await ask(here.mine)
        other = await ask(here.mine, {"message": "brewpubs em Boston"})
        assert (other.status, "Idempotency-Key" in other.body["detail"]) == (422, True)
        assert await written(settings) == ONE_RUN
        assert (await ask(here.mine)).body == first.body


async def test_a_key_belongs_to_its_route(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        run_id = (await ask(here.mine)).body["run_id"]
        assert (await cancel(here.mine, run_id, idempotency_key=KEY)).status == 422
        assert (await look(here.mine, run_id)).body["cancel_at"] is None
        assert (await cancel(here.mine, run_id, idempotency_key="another")).status == 202


async def test_a_key_belongs_to_its_client(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        mine, theirs = await ask(here.mine), await ask(here.theirs, {"message": "brewpubs em Boston"})
        assert (mine.status, theirs.status) == (202, 202)
        assert mine.body["run_id"] != theirs.body["run_id"]
        assert (await ask(here.mine)).body == mine.body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"message": "oi", "conversation_id": NOBODYS}, 404),
        ({"message": " "}, 422),
        ({"message": 5}, 422),
        ({"message": "oi", "on_busy": "shout"}, 422),
    ],
)
async def test_a_refused_request_does_not_use_its_key_up(settings: Settings, body: Any, status: int) -> None:
    async with replica(settings, works=False) as here:
        assert [(await ask(here.mine, body)).status for _ in range(2)] == [status, status]
        assert set((await written(settings)).values()) == {0}
        assert (await ask(here.mine)).status == 202


async def test_a_request_that_was_too_much_does_not_use_its_key_up(settings: Settings) -> None:
    async with replica(settings, works=False, client_concurrency=1) as here:
        first = await asked(here.mine)
        assert (await ask(here.mine)).status == 429
        async with replica(settings):
            await ended(here.mine, first["run_id"])
        assert (await ask(here.mine)).status == 202


@pytest.mark.parametrize("key", ["", "a" * 256, "tab\tinside", "ação"])
async def test_a_key_that_is_none_is_refused(settings: Settings, key: str) -> None:
    async with replica(settings, works=False) as here:
        refused = await ask(here.mine, key=key)
        assert (refused.status, "Idempotency-Key" in refused.body["detail"]) == (422, True)
        assert set((await written(settings)).values()) == {0}
        assert (await ask(here.mine, key="a" * 255)).status == 202


async def test_a_cancellation_is_answered_as_it_was(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        run_id = (await asked(here.mine))["run_id"]
        first = await cancel(here.mine, run_id, idempotency_key=KEY)
        async with replica(settings):
            assert (await ended(here.mine, run_id))["status"] == "cancelled"
        again, new = await cancel(here.mine, run_id, idempotency_key=KEY), await cancel(here.mine, run_id)
        assert (first.status, again.status, new.status) == (202, 202, 200)
        assert (again.body, new.body["status"]) == (first.body, "cancelled")


async def test_a_cancellation_of_nothing_does_not_use_its_key_up(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        assert (await cancel(here.mine, str(uuid4()), idempotency_key=KEY)).status == 404
        run_id = (await asked(here.mine))["run_id"]
        assert (await cancel(here.mine, run_id, idempotency_key=KEY)).status == 202


async def test_a_key_is_forgotten_after_its_hours(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        first = await ask(here.mine)
        await here.house.database.batch.alone("housekeeping.forget_keys", 100, 1.0)
        assert (await ask(here.mine)).body == first.body
        await here.house.database.batch.alone("housekeeping.forget_keys", 100, 0.0)
        new = await ask(here.mine)
        assert (new.status, new.body["run_id"] != first.body["run_id"]) == (202, True)
        assert (await written(settings))["runs"] == 2
