"""`POST /v1/runs` that accepts text/event-stream: the answer is the stream of the run's events."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest

from beerforyou.conversations.state import hand_over
from beerforyou.runs.following import channel
from beerforyou.settings import Settings
from tests.api.conftest import MINE, NOBODYS
from tests.api.talking import (
    ASK,
    SOON_S,
    Held,
    Replica,
    Steps,
    asking,
    call,
    cancel,
    ended,
    followed,
    following,
    kept,
    look,
    replica,
    rise,
    seen,
    wait_until,
)

STREAM = "text/event-stream"


async def nobody_follows(here: Replica, run_id: str) -> None:
    async def nobody() -> bool:
        listeners = await here.house.valkey("PUBSUB", "NUMSUB", channel(UUID(run_id)))
        return listeners[1] == 0 and not here.house.following._followers

    await wait_until(nobody, "nobody follows the run any more")


@pytest.mark.parametrize("accept", [STREAM, "application/json;q=0.5, Text/Event-Stream;q=0.9"])
async def test_it_begins_with_what_was_accepted_and_has_all_events(settings: Settings, accept: str) -> None:
    async with replica(settings, works=False) as here, replica(settings, Steps()) as there:
        async with asking(here.mine, accept=accept) as (accepted, events):
            got = await seen(events)
            assert await anext(events, None) is None
        run_id, talk = accepted["run_id"], accepted["conversation_id"]
        assert accepted == {
            "run_id": run_id,
            "conversation_id": talk,
            "status": "queued",
            "events": f"/v1/runs/{run_id}/events",
        }
        assert (got[0].event, got[-1].event) == ("started", "finished") and rise(event.id for event in got)
        assert [event.data["text"] for event in got if event.event == "text"] == ["Here they are."]
        for each in (here, there):
            assert [event._asdict() for event in kept(got)] == await followed(each.mine, run_id)
        await nobody_follows(here, run_id)


async def test_whoever_follows_beside_it_sees_the_same(settings: Settings) -> None:
    async with (
        replica(settings, works=False) as here,
        replica(settings, model := Steps(hold=2)) as there,
        asking(here.mine) as (accepted, events),
    ):
        before = await seen(events, "tool_finished")
        await model.asked.wait()  # so that what was told by then is kept
        async with following(there.mine, accepted["run_id"]) as beside:
            same = await seen(beside, "tool_finished")
            model.go.set()
            assert before + await seen(events) == same + await seen(beside)


async def test_whoever_does_not_accept_one_is_told_where_it_is(settings: Settings) -> None:
    async with replica(settings, works=False, client_concurrency=20) as here:
        for accept in ("application/json", "*/*", "", "text/event-streams", "application/text/event-stream"):
            answer = await asyncio.wait_for(call(here.mine, "POST", "/v1/runs", ASK, accept=accept), SOON_S)
            assert (answer.status, answer.headers["content-type"]) == (202, "application/json"), accept
            assert answer.headers["location"] == f"/v1/runs/{answer.body['run_id']}"
        assert not here.house.following._followers


async def test_the_same_key_gets_the_same_run_s_stream(settings: Settings) -> None:
    """While it is worked on and when it has ended, whatever the first request accepted."""
    async with replica(settings, model := Held()) as here, replica(settings, works=False) as there:
        for first in (STREAM, "application/json"):
            model.asked.clear(), model.go.clear()
            key, got = str(uuid4()), []
            async with here.mine.post("/v1/runs", json=ASK, headers={"accept": first, "idempotency-key": key}) as begun:
                await model.asked.wait()
                async with AsyncExitStack() as stack:
                    again = [
                        await stack.enter_async_context(asking(each.mine, idempotency_key=key))
                        for each in (here, there)
                    ]
                    model.go.set()
                    for accepted, events in again:
                        got.append((accepted["run_id"], kept(await seen(events))))
                assert begun.status == (200 if first == STREAM else 202)
            async with asking(there.mine, idempotency_key=key) as (accepted, events):
                got.append((accepted["run_id"], await seen(events)))
            told = await call(here.mine, "POST", "/v1/runs", ASK, idempotency_key=key)
            assert (told.status, told.body["run_id"]) == (202, accepted["run_id"])
            assert [events for _, events in got] == [got[0][1]] * 3 and {run_id for run_id, _ in got} == {
                told.body["run_id"]
            }
            assert [event.event for event in got[0][1]] == ["started", "answer", "finished"]


REFUSED: list[tuple[dict[str, Any], dict[str, str], int]] = [
    ({"message": ""}, {}, 422),
    ({"message": "NUL \0"}, {}, 422),
    ({"message": "a" * 50_000}, {}, 422),
    ({"message": "a" * 100_000}, {}, 413),
    ({"message": 5}, {}, 422),
    ({}, {}, 422),
    (ASK | {"on_busy": "no"}, {}, 422),
    (ASK | {"conversation_id": NOBODYS}, {}, 404),
    (ASK, {"authorization": "Bearer x.y.z"}, 401),
    (ASK, {"idempotency-key": "k" * 300}, 422),
]


async def test_a_refusal_is_a_problem_document_as_without_a_stream(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        for body, headers, status in REFUSED:
            answers = []
            for accept in (STREAM, "application/json"):
                async with here.mine.post("/v1/runs", json=body, headers=headers | {"accept": accept}) as response:
                    assert response.content_type == "application/problem+json", (body, headers)
                    answers.append((response.status, await response.json()))
            assert answers[0] == answers[1] and answers[0][0] == status
        assert not here.house.following._followers


async def test_too_many_and_busy_are_refused_before_anything_is_told(settings: Settings) -> None:
    async with replica(settings, works=False, client_concurrency=1) as here, asking(here.mine) as (accepted, _):
        busy = ASK | {"conversation_id": accepted["conversation_id"], "on_busy": "reject"}
        for body, status in ((ASK, 429), (busy, 429)):
            answer = await call(here.mine, "POST", "/v1/runs", body, accept=STREAM)
            assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        assert len(here.house.following._followers) == 1
    async with replica(settings, works=False) as here:
        answer = await call(here.mine, "POST", "/v1/runs", busy, accept=STREAM)
        assert (answer.status, answer.headers["content-type"]) == (409, "application/problem+json")


async def test_where_a_person_answers_there_is_no_stream(settings: Settings) -> None:
    async with replica(settings) as here:
        async with asking(here.mine) as (accepted, events):
            await seen(events)
        talk = accepted["conversation_id"]
        await hand_over(here.house, MINE, UUID(talk))
        answer = await call(here.mine, "POST", "/v1/runs", ASK | {"conversation_id": talk}, accept=STREAM)
        assert (answer.status, answer.headers["content-type"]) == (202, "application/json")
        assert (answer.body["status"], answer.body["run_id"]) == ("person", None)
        assert answer.headers["location"] == f"/v1/conversations/{talk}"
        assert not here.house.following._followers


@pytest.mark.parametrize("after", ["accepted", "started", "tool_finished"])
async def test_who_hangs_up_leaves_no_follower_and_the_run_goes_on(settings: Settings, after: str) -> None:
    async with replica(settings, model := Steps(hold=2)) as here:
        async with asking(here.mine) as (accepted, events):
            if after != "accepted":
                await seen(events, after)
        await nobody_follows(here, accepted["run_id"])
        model.go.set()
        run = await ended(here.mine, accepted["run_id"])
        assert (run["status"], run["cancel_at"]) == ("succeeded", None)
        assert (await followed(here.mine, accepted["run_id"]))[-1]["event"] == "finished"


async def test_who_hangs_up_before_he_hears_anything_has_a_run_that_is_worked_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not only when somebody sweeps."""
    async with replica(settings, sweep_s=1000.0) as here:
        held, begun, add = asyncio.Event(), asyncio.Event(), here.house.subscriptions.add

        async def slow(name: str, heard: Any) -> None:
            begun.set()
            await held.wait()
            await add(name, heard)

        monkeypatch.setattr(here.house.subscriptions, "add", slow)
        key = str(uuid4())
        sending = asyncio.create_task(call(here.mine, "POST", "/v1/runs", ASK, accept=STREAM, idempotency_key=key))
        await begun.wait()
        sending.cancel()

        async def gone() -> bool:
            return not here.house.following._followers

        await wait_until(gone, "he is gone")
        monkeypatch.setattr(here.house.subscriptions, "add", add)
        again = await call(here.mine, "POST", "/v1/runs", ASK, idempotency_key=key)
        run = (await asyncio.wait_for(look(here.mine, again.body["run_id"], prefer="wait=60"), SOON_S)).body
        assert run["status"] == "succeeded"


async def test_a_lost_subscription_loses_neither_answer_nor_end(settings: Settings) -> None:
    async with replica(settings, works=False) as here, replica(settings, model := Steps(hold=2)) as there:
        async with asking(here.mine) as (accepted, events):
            before = await seen(events, "tool_finished")
            assert await there.house.valkey("CLIENT", "KILL", "TYPE", "pubsub") >= 2
            model.go.set()
            after = await asyncio.wait_for(seen(events), SOON_S)
        assert [event._asdict() for event in kept(before + after)] == await followed(there.mine, accepted["run_id"])


async def test_a_run_that_is_cancelled_ends_its_stream(settings: Settings) -> None:
    async with replica(settings, model := Held()) as here, asking(here.mine) as (accepted, events):
        await model.asked.wait()
        assert (await cancel(here.mine, accepted["run_id"])).status == 202
        assert (await asyncio.wait_for(seen(events), SOON_S))[-1].data["status"] == "cancelled"
        assert await anext(events, None) is None


async def test_a_conversation_goes_on_by_streams(settings: Settings) -> None:
    """A second message waits its turn, and its stream with it."""
    async with replica(settings, model := Held()) as here, asking(here.mine) as (first, events):
        await model.asked.wait()
        async with asking(here.mine, ASK | {"conversation_id": first["conversation_id"]}) as (second, others):
            assert (await look(here.mine, second["run_id"])).body["status"] == "queued"
            model.go.set()
            assert (await seen(events))[-1].data["status"] == "succeeded"
            assert [event.event for event in await seen(others)] == ["started", "text", "answer", "finished"]


async def test_streams_of_two_clients_are_their_own(settings: Settings) -> None:
    async with replica(settings) as here, asking(here.mine) as (mine, events), asking(here.theirs) as (theirs, others):
        assert mine["run_id"] != theirs["run_id"]
        for http, accepted, stream in ((here.mine, mine, events), (here.theirs, theirs, others)):
            told = [event._asdict() for event in kept(await seen(stream))]
            assert told == await followed(http, accepted["run_id"])
        body = ASK | {"conversation_id": mine["conversation_id"]}
        assert (await call(here.theirs, "POST", "/v1/runs", body, accept=STREAM)).status == 404
