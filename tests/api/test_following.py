"""Looking at a run and following it: in any process, while it is worked on in another, whatever happens to Valkey."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from beerforyou.api import lobby
from beerforyou.conversations.accepting import accept
from beerforyou.house import House
from beerforyou.runs.following import channel
from beerforyou.settings import Settings
from beerforyou.worker.worker import work
from tests.api.conftest import MINE
from tests.api.talking import (
    SOON_S,
    Held,
    Replica,
    Steps,
    asked,
    call,
    ended,
    followed,
    followed_by,
    following,
    forget,
    kept,
    look,
    replica,
    rise,
    seen,
    server_sent,
    wait_until,
)

NONSENSE = ["wait", "wait=", "wait=soon", "wait=-1", "wait=0", "await=5", "respond-async", "=", ""]


async def test_a_run_that_did_not_change_is_not_sent_again(settings: Settings) -> None:
    async with replica(settings, works=False) as here, replica(settings, works=False) as there:
        run_id = (await asked(here.mine))["run_id"]
        tag = (await look(there.mine, run_id)).headers["etag"]
        for known in (tag, f"W/{tag}", f'"another", {tag}', f'W/"another",W/{tag}', "*", " * "):
            same = await look(here.mine, run_id, if_none_match=known)
            assert (same.status, same.body, same.headers["etag"]) == (304, None, tag)
        for known in ('"another"', 'W/"another"', tag.strip('"'), ""):
            assert (await look(here.mine, run_id, if_none_match=known)).status == 200


async def test_a_run_that_ended_has_another_tag(settings: Settings) -> None:
    async with replica(settings, model := Held()) as here:
        run_id = (await asked(here.mine))["run_id"]
        await model.asked.wait()
        before = (await look(here.mine, run_id)).headers["etag"]
        assert (await look(here.mine, run_id, if_none_match=before)).status == 304
        model.go.set()
        await ended(here.mine, run_id)
        after = await look(here.mine, run_id, if_none_match=before)
        assert (after.status, after.body["status"]) == (200, "succeeded")
        assert after.headers["etag"] != before


async def test_the_ledger_has_a_tag_of_its_own(settings: Settings) -> None:
    async with replica(settings) as here:
        run_id = (await asked(here.mine))["run_id"]
        tag = (await call(here.mine, "GET", f"/v1/runs/{run_id}", prefer="wait=20")).headers["etag"]
        route = f"/v1/runs/{run_id}?include=steps"
        with_steps = await call(here.mine, "GET", route, if_none_match=tag)
        assert with_steps.status == 200 and with_steps.body["steps"]
        assert (await call(here.mine, "GET", route, if_none_match=with_steps.headers["etag"])).status == 304


async def test_waiting_holds_until_the_run_ends_elsewhere(settings: Settings) -> None:
    async with replica(settings, works=False) as here, replica(settings, model := Held()):
        run_id = (await asked(here.mine))["run_id"]
        await model.asked.wait()
        waiting = asyncio.create_task(look(here.mine, run_id, prefer="respond-async, wait=20"))
        await followed_by(here.house, run_id)
        assert not waiting.done()
        model.go.set()
        answer = await asyncio.wait_for(waiting, SOON_S)
    assert (answer.status, answer.body["status"]) == (200, "succeeded")
    assert answer.headers["preference-applied"] == "wait=20"


async def test_waiting_for_a_run_that_ended_takes_no_time(settings: Settings) -> None:
    async with replica(settings) as here:
        run_id = (await asked(here.mine))["run_id"]
        await followed(here.mine, run_id)
        answer = await asyncio.wait_for(look(here.mine, run_id, prefer="wait=60"), SOON_S)
    assert (answer.body["status"], answer.headers["preference-applied"]) == ("succeeded", "wait=60")


async def test_waiting_has_an_end(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        run_id = (await asked(here.mine))["run_id"]
        begun = time.monotonic()
        answer = await look(here.mine, run_id, prefer="wait=1")
        assert 1 <= time.monotonic() - begun < SOON_S
        assert (answer.status, answer.body["status"]) == (200, "queued")
        assert answer.headers["preference-applied"] == "wait=1"
        same = await look(here.mine, run_id, prefer="wait=1", if_none_match=answer.headers["etag"])
        assert (same.status, same.headers["preference-applied"]) == (304, "wait=1")


async def test_nobody_waits_for_longer_than_a_minute(settings: Settings) -> None:
    async with replica(settings) as here:
        run_id = (await asked(here.mine))["run_id"]
        assert (await look(here.mine, run_id, prefer="wait=3600")).headers["preference-applied"] == "wait=60"


async def test_a_preference_without_sense_is_ignored(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        run_id = (await asked(here.mine))["run_id"]
        for preference in NONSENSE:
            answer = await asyncio.wait_for(look(here.mine, run_id, prefer=preference), SOON_S)
            assert (answer.status, "preference-applied" in answer.headers) == (200, False), preference


@pytest.mark.parametrize("lines", [["WAIT=20"], ["respond-async", "wait=20"]])
async def test_a_preference_may_stand_in_any_line_and_case(settings: Settings, lines: list[str]) -> None:
    async with replica(settings) as here:
        run_id = (await asked(here.mine))["run_id"]
        await ended(here.mine, run_id)
        headers = [("prefer", line) for line in lines]
        async with here.mine.get(f"/v1/runs/{run_id}", headers=headers) as response:
            assert response.headers.get("preference-applied") == "wait=20"


async def test_who_knows_an_older_state_does_not_wait(settings: Settings) -> None:
    """And who knows this one waits for the end."""
    async with replica(settings, works=False) as here:
        run_id = (await asked(here.mine))["run_id"]
        old = await asyncio.wait_for(look(here.mine, run_id, prefer="wait=60", if_none_match='"old"'), SOON_S)
        assert (old.status, old.body["status"]) == (200, "queued")
        tag = old.headers["etag"]
        waiting = asyncio.create_task(look(here.mine, run_id, prefer="wait=60", if_none_match=tag))
        await followed_by(here.house, run_id)
        async with replica(settings):
            answer = await asyncio.wait_for(waiting, SOON_S)
        assert (answer.status, answer.body["status"]) == (200, "succeeded")


async def test_a_run_is_followed_live_on_another_replica(settings: Settings) -> None:
    async with replica(settings, works=False) as here, replica(settings, model := Steps(hold=2)) as there:
        run_id = (await asked(there.mine))["run_id"]
        await model.asked.wait()  # so that what was told by then is kept; what comes is live
        async with following(here.mine, run_id) as events:
            before = await seen(events, "tool_finished")
            assert [event.event for event in before] == ["started", "tool_started", "tool_finished"]
            assert (await look(here.mine, run_id)).body["status"] == "running"
            model.go.set()
            after = await seen(events)
            assert await anext(events, None) is None
        assert [event._asdict() for event in kept(before + after)] == await followed(there.mine, run_id)
        assert rise(event.id for event in before + after)
        assert [event.data["text"] for event in after if event.event == "text"] == ["Here they are."]
        assert after[-1].data["status"] == "succeeded"


async def test_following_goes_on_elsewhere_without_gap_or_repetition(settings: Settings) -> None:
    async with replica(settings, model := Steps(hold=2)) as here, replica(settings, works=False) as there:
        run_id = (await asked(here.mine))["run_id"]
        async with following(here.mine, run_id) as events:
            before = await seen(events, "tool_started")
        await model.asked.wait()  # so that what was told by then is kept
        async with following(there.mine, run_id, after=before[-1].id) as events:
            between = await seen(events, "tool_finished")
            model.go.set()
        async with following(here.mine, run_id, after=between[-1].id) as events:
            after = await seen(events)
        assert [event._asdict() for event in kept(before + between + after)] == await followed(there.mine, run_id)
        assert rise(event.id for event in before + between + after)


async def test_who_says_to_have_seen_more_than_there_is_is_told_of_the_end(settings: Settings) -> None:
    async with replica(settings, model := Held()) as here:
        run_id = (await asked(here.mine))["run_id"]
        await model.asked.wait()
        async with following(here.mine, run_id, after=1000) as events:
            model.go.set()
            assert await asyncio.wait_for(anext(events, None), SOON_S) is None


async def test_a_silent_run_shows_that_the_line_is_alive(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobby, "SILENT_S", 0.05)
    async with replica(settings, works=False) as here, replica(settings, works=False) as there:
        accepted = await accept(here.house, MINE, "brewpubs em Denver")
        async with here.mine.get(f"/v1/runs/{accepted.run_id}/events") as response:
            async with asyncio.timeout(SOON_S):
                assert [(await response.content.readline())[:1] for _ in range(4)] == [b":", b"\n"] * 2
            await work(there.house, accepted.run)
            types = [event.event async for event in server_sent(response.content)]
        assert (types[0], types[-1]) == ("started", "finished")


async def test_who_reads_events_in_the_same_process_gets_them_all(settings: Settings) -> None:
    async with replica(settings, works=False) as here, replica(settings, works=False) as there:
        accepted = await accept(here.house, MINE, "brewpubs em Denver")
        reads = here.house.database.as_client(MINE)
        async with here.house.following.events(reads, accepted.run) as events:
            await work(there.house, accepted.run)
            told = [event async for event in events]
        assert (told[0].type, told[-1].type) == ("started", "finished") and rise(event.seq or 0 for event in told)
        async with here.house.following.events(reads, accepted.run, after=told[0].seq or 0) as events:
            assert [event async for event in events] == [event for event in told[1:] if event.type != "text"]
        assert not here.house.following._followers


async def test_a_lost_subscription_loses_no_event(settings: Settings) -> None:
    async with replica(settings, works=False) as here, replica(settings, model := Steps(hold=2)) as there:
        run_id = (await asked(there.mine))["run_id"]
        async with following(here.mine, run_id) as events:
            before = await seen(events, "tool_finished")
            assert await there.house.valkey("CLIENT", "KILL", "TYPE", "pubsub") >= 2
            model.go.set()
            after = await asyncio.wait_for(seen(events), SOON_S)
        assert [event._asdict() for event in kept(before + after)] == await followed(there.mine, run_id)


async def test_an_emptied_valkey_loses_neither_run_nor_event(settings: Settings) -> None:
    async with replica(settings, model := Held(), worker_concurrency=1) as here:
        working_on = await asked(here.mine)
        await model.asked.wait()
        waiting = await asked(here.mine)
        async with (
            following(here.mine, working_on["run_id"]) as first,
            following(here.mine, waiting["run_id"]) as second,
        ):
            await seen(first, "started")
            await here.house.valkey("FLUSHDB")
            model.go.set()
            for events in (first, second):
                assert (await seen(events))[-1].data["status"] == "succeeded"


async def test_a_run_outlives_its_ledger_and_ends_with_its_conversation(settings: Settings) -> None:
    async with replica(settings) as here:
        run_id = (await asked(here.mine))["run_id"]
        events = await followed(here.mine, run_id)
        await ended(here.mine, run_id)
        run = (await look(here.mine, run_id)).body
        await forget(here.house, ledger=0)
        assert await followed(here.mine, run_id) == [event for event in events if event["event"] != "text"]
        await forget(here.house, ledger=-1)
        ends = [event for event in events if event["event"] in ("started", "answer", "finished")]
        assert await followed(here.mine, run_id) == ends
        assert (await look(here.mine, run_id)).body == run
        assert (await call(here.mine, "GET", f"/v1/runs/{run_id}?include=steps")).body["steps"] == []
        assert (await call(here.theirs, "GET", f"/v1/runs/{run_id}/events")).status == 404
        await forget(here.house, conversations=-1, ledger=-1)
        for path in (f"/v1/runs/{run_id}", f"/v1/runs/{run_id}/events"):
            assert (await call(here.mine, "GET", path)).status == 404


async def test_a_run_that_is_open_ends_whatever_is_forgotten_meanwhile(settings: Settings) -> None:
    async with replica(settings, model := Steps(hold=2)) as here:
        run_id = (await asked(here.mine))["run_id"]
        await model.asked.wait()
        await forget(here.house, conversations=-1, ledger=-1)
        async with following(here.mine, run_id) as events:
            await followed_by(here.house, run_id)
            model.go.set()
            told = [event.event for event in await seen(events)]
        assert (told[0], told[-2:]) == ("started", ["answer", "finished"])
        assert (await ended(here.mine, run_id))["status"] == "succeeded"


async def test_who_goes_away_cancels_nothing(settings: Settings) -> None:
    async with replica(settings, model := Held()) as here:
        run_id = (await asked(here.mine))["run_id"]
        async with following(here.mine, run_id) as events:
            await seen(events, "started")
        await no_longer_followed(here, run_id)
        model.go.set()
        run = await ended(here.mine, run_id)
        assert (run["status"], run["cancel_at"], model.calls) == ("succeeded", None, 2)  # it was asked for a call


async def no_longer_followed(here: Replica, run_id: str) -> None:
    async def unheard() -> bool:
        listeners = await here.house.valkey("PUBSUB", "NUMSUB", channel(UUID(run_id)))
        return listeners[1] == 0

    await wait_until(unheard, "nobody listens to the run")


@pytest.fixture
async def crowd(settings: Settings) -> AsyncIterator[tuple[Replica, list[str]]]:
    """A replica with two database connections a pool, and thirty runs that nobody works on yet."""
    async with replica(settings, works=False, database_pool=2, client_concurrency=30) as here:
        yield here, [(await asked(here.mine))["run_id"] for _ in range(30)]


async def test_followers_hold_no_connection_to_the_database(
    crowd: tuple[Replica, list[str]], settings: Settings
) -> None:
    here, run_ids = crowd
    everybody = [asyncio.create_task(followed(here.mine, run_id)) for run_id in run_ids]
    await followed_by(here.house, *run_ids)
    answers = await asyncio.wait_for(asyncio.gather(*(look(here.mine, run_id) for run_id in run_ids)), SOON_S)
    assert {answer.body["status"] for answer in answers} == {"queued"}
    async with replica(settings):
        for events in await asyncio.gather(*everybody):
            assert (events[0]["event"], events[-1]["event"]) == ("started", "finished")


async def test_followers_share_one_connection_to_valkey(crowd: tuple[Replica, list[str]]) -> None:
    here, run_ids = crowd
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(following(here.mine, run_ids[0]))
        await followed_by(here.house, run_ids[0])
        one = await subscribers(here.house)
        for run_id in run_ids * 2:
            await stack.enter_async_context(following(here.mine, run_id))
        await followed_by(here.house, *run_ids)
        assert await subscribers(here.house) == one


async def subscribers(house: House) -> int:
    """Connections to this server that hear what is published, whoever has them."""
    return len((await house.valkey("CLIENT", "LIST", "TYPE", "pubsub")).splitlines())


async def test_nobody_waits_for_a_caller_who_hung_up(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        run_id = (await asked(here.mine))["run_id"]
        waiting = asyncio.create_task(look(here.mine, run_id, prefer="wait=60"))
        await followed_by(here.house, run_id)
        waiting.cancel()

        async def nobody_listens() -> bool:
            return (await here.house.valkey("PUBSUB", "NUMSUB", channel(UUID(run_id))))[1] == 0

        await wait_until(nobody_listens, "the waiting is over")
