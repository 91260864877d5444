"""More work than can be done is refused before anything of it is written; what is accepted is never lost."""

import asyncio
from uuid import uuid4

import aiohttp

from beerforyou.settings import Settings
from tests.api.talking import ASK, Answer, Held, asked, call, ended, replica, written
from tests.waiting import wait_until


async def ask(http: aiohttp.ClientSession) -> Answer:
    return await call(http, "POST", "/v1/runs", ASK, idempotency_key=str(uuid4()))


def assert_too_many(answer: Answer) -> None:
    assert (answer.status, answer.body["type"]) == (429, "urn:beerforyou:problem:too-many")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"].isdigit() and int(answer.headers["retry-after"]) >= 1
    assert answer.body["detail"] and answer.body["hint"]


async def accepted_again(http: aiohttp.ClientSession) -> None:
    async def accepted() -> bool:
        return (await ask(http)).status == 202

    await wait_until(accepted, "requests are accepted again")


async def test_a_client_has_so_many_open_runs_and_no_more(settings: Settings) -> None:
    async with replica(settings, model := Held(), client_concurrency=2) as here:
        waiting = [await asked(here.mine), await asked(here.mine)]
        assert_too_many(await ask(here.mine))
        await model.asked.wait()  # one that is worked on counts as one that waits
        assert_too_many(await ask(here.mine))
        assert (await ask(here.theirs)).status == 202
        model.go.set()
        for run in waiting:
            await ended(here.mine, run["run_id"])
        assert (await ask(here.mine)).status == 202


async def test_a_client_that_asks_all_at_once_gets_no_more(settings: Settings) -> None:
    async with replica(settings, works=False, client_concurrency=2) as here:
        answers = await asyncio.gather(*(ask(here.mine) for _ in range(8)), *(ask(here.theirs) for _ in range(2)))
    assert sorted(answer.status for answer in answers[:8]) == [202] * 2 + [429] * 6
    assert [answer.status for answer in answers[8:]] == [202, 202]


async def test_all_clients_have_so_many_waiting_runs_and_no_more(settings: Settings) -> None:
    async with replica(settings, works=False, queue_limit=3) as here:
        waiting = [await asked(here.mine), await asked(here.theirs), await asked(here.mine)]
        for http in (here.mine, here.theirs):
            assert_too_many(await ask(http))
        async with replica(settings):
            for http, run in zip((here.mine, here.theirs, here.mine), waiting, strict=True):
                assert (await ended(http, run["run_id"]))["status"] == "succeeded"
        await accepted_again(here.mine)


async def test_a_request_that_is_refused_does_not_wait(settings: Settings) -> None:
    async with replica(settings, works=False, queue_limit=3) as here:
        for _ in range(3):
            body = ASK | {"conversation_id": str(uuid4())}
            assert (await call(here.mine, "POST", "/v1/runs", body)).status == 404
        assert (await ask(here.theirs)).status == 202


async def test_another_replica_sees_that_too_many_wait(settings: Settings) -> None:
    async with replica(settings, works=False, queue_limit=3) as here:
        for _ in range(3):
            await asked(here.mine)
        async with replica(settings, works=False, queue_limit=3) as there:
            assert_too_many(await ask(there.mine))
        async with replica(settings, works=False, queue_limit=4) as there:
            assert (await ask(there.mine)).status == 202


async def test_nothing_of_a_refused_request_is_written(settings: Settings) -> None:
    async with replica(settings, works=False, client_concurrency=1) as here:
        assert (await ask(here.mine)).status == 202
        before = await written(settings)
        assert_too_many(await ask(here.mine))  # of this client
        async with replica(settings, works=False, queue_limit=1) as there:
            assert_too_many(await ask(there.theirs))  # of all clients
        assert await written(settings) == before
        assert (await ask(here.theirs)).status == 202
        assert await written(settings) == {table: 2 * rows for table, rows in before.items()}


async def test_a_full_broker_keeps_what_was_accepted_and_refuses_the_next(settings: Settings) -> None:
    async with replica(settings, works=False, queue_limit=3) as here:
        for _ in range(3):  # the broker's own are more than the database knows of
            await here.house.queue.put([uuid4()])
        run_id = (await asked(here.mine))["run_id"]

        async def full() -> bool:
            return here.house.bell.full

        await wait_until(full, "the broker has refused the run")
        assert_too_many(await ask(here.mine))
        async with replica(settings):
            assert (await ended(here.mine, run_id))["status"] == "succeeded"
            await accepted_again(here.mine)
