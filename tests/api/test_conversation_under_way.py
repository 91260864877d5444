"""What is under way in a conversation: told to whoever hears it from its beginning, and to nobody twice."""

import asyncio
from uuid import UUID

import pytest

from beerforyou.conversations.state import say
from beerforyou.runs import following as rooms
from beerforyou.settings import Settings
from tests.api.conftest import MINE
from tests.api.talking import Held, Steps, call, ended, followed_by, replica, seen, wait_until
from tests.api.test_conversations import following_all, sent

UNDER_WAY = ["started", "tool_started", "tool_finished", "tool_started", "tool_finished", "text"]


async def test_what_stays_has_numbers_and_what_is_under_way_has_none(settings: Settings) -> None:
    """Also to a replica that does not work, and beside messages of people."""
    async with replica(settings, works=False) as here, replica(settings, model := Steps(hold=2)) as there:
        first = await sent(there.mine)
        model.go.set()
        await ended(there.mine, first["run_id"])
        talk = first["conversation_id"]
        model.go.clear()
        async with following_all(here.mine, talk, after=3) as events:
            await followed_by(here.house, talk)
            second = await sent(there.mine, conversation_id=talk)
            got = await seen(events, "tool_finished")
            await say(there.house, MINE, UUID(talk), "um momento")
            model.go.set()
            got += await seen(events)
    assert [event.event for event in got if not event.id] == UNDER_WAY
    assert {event.data["run_id"] for event in got if not event.id} == {second["run_id"]}
    stays = [(event.id, event.event) for event in got if event.id]
    assert stays == [(4, "message"), (5, "message"), (6, "answer"), (7, "finished")]


@pytest.mark.parametrize("last", [0, 1, 2, 3])
async def test_who_comes_in_the_middle_gets_all_that_is_kept(settings: Settings, last: int) -> None:
    """What stays, by its numbers; and what is kept of the run that is under way, and goes on from there."""
    async with replica(settings, works=False) as here, replica(settings, model := Steps(hold=3)) as there:
        run = await sent(there.mine)
        talk = run["conversation_id"]
        await model.asked.wait()
        async with following_all(here.mine, talk, after=last) as events:
            await followed_by(here.house, talk)
            model.go.set()
            await ended(there.mine, run["run_id"])
            await say(there.house, MINE, UUID(talk), "oi")
            got = []
            async with asyncio.timeout(20):
                while not got or got[-1].id < 4:
                    got.append(await anext(events))
    kinds = ["message", "answer", "finished", "message"]
    known = min(last, 1)  # there was no more when it came
    assert [(event.id, event.event) for event in got if event.id] == list(enumerate(kinds, start=1))[known:]
    assert [event.event for event in got if not event.id] == UNDER_WAY


async def test_who_comes_while_a_run_is_under_way_hears_it_and_the_next_one(settings: Settings) -> None:
    async with replica(settings, works=False) as here, replica(settings, model := Held()) as there:
        first = await sent(there.mine)
        await model.asked.wait()
        async with following_all(here.mine, first["conversation_id"]) as events:
            await followed_by(here.house, first["conversation_id"])
            model.go.set()
            missed = await seen(events)
            await sent(there.mine, conversation_id=first["conversation_id"])
            heard = await seen(events)
    assert [event.event for event in missed] == ["message", "started", "text", "answer", "finished"]
    assert [event.event for event in heard] == ["message", "started", "text", "answer", "finished"]


async def test_what_a_dead_worker_told_is_void_to_who_heard_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another `started` says so, and the numbers of the run are higher."""
    monkeypatch.setattr(rooms, "SILENT_S", 0.2)
    async with replica(settings, works=False) as here:
        run = await sent(here.mine)
        talk, batch = run["conversation_id"], here.house.database.batch
        async with following_all(here.mine, talk) as events:
            await seen(events, "message")
            claimed = await batch.write("runs.claim", UUID(run["run_id"]), "dies", 0.0, None)
            assert claimed["fencing_token"] == 1
            for needs, event in enumerate([rooms.Event(seq=1, type="started", data={}), text(2, "Não"), text(3, "é")]):
                here.house.publishing.under_way(UUID(talk), UUID(run["run_id"]), needs, [event])
            before = await seen(events, "text") + await seen(events, "text")
            async with replica(settings):
                after = await seen(events)

            async def heard_all() -> bool:
                return (await call(here.mine, "GET", f"/v1/runs/{run['run_id']}")).body["status"] == "succeeded"

            await wait_until(heard_all, "it is answered")
    assert [event.event for event in before] == ["started", "text", "text"]
    assert (after[0].event, [event.event for event in after if event.id]) == ("started", ["answer", "finished"])


def text(seq: int, said: str) -> rooms.Event:
    return rooms.Event(seq=seq, type="text", data={"text": said})


async def test_what_nobody_published_is_told_all_the_same(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever commits may die before he publishes it: a follower who hears nothing for long is looked up."""
    monkeypatch.setattr(rooms, "SILENT_S", 0.2)
    async with replica(settings, works=False) as here, replica(settings) as there:
        there.house.publishing._publish = lambda *_: None  # type: ignore[method-assign]
        run = await sent(there.mine)
        async with following_all(here.mine, run["conversation_id"], after=1) as events:
            got = await seen(events)
            await say(there.house, MINE, UUID(run["conversation_id"]), "oi")
            got += await seen(events, "message")
    stays = [(event.id, event.event) for event in got if event.id]
    assert stays == [(2, "answer"), (3, "finished"), (4, "message")]
