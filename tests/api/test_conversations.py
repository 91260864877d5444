"""Conversations over HTTP: followed as a whole, listed, read in pages, renamed, deleted, and answered by a person."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from beerforyou.conversations.state import hand_back, hand_over, say
from beerforyou.runs import following
from beerforyou.settings import Settings
from tests.api.conftest import MINE, NOBODYS
from tests.api.talking import (
    ASK,
    SOON_S,
    Held,
    ServerSent,
    Steps,
    call,
    ended,
    followed_by,
    forget,
    messages,
    replica,
    rise,
    seen,
    server_sent,
)
from tests.api.talking import following as following_run


async def sent(http: aiohttp.ClientSession, **more: str) -> dict[str, Any]:
    accepted = await call(http, "POST", "/v1/runs", ASK | more)
    assert accepted.status == 202, accepted
    body: dict[str, Any] = accepted.body
    return body


@asynccontextmanager
async def following_all(
    http: aiohttp.ClientSession, conversation_id: str, after: int = 0
) -> AsyncIterator[AsyncIterator[ServerSent]]:
    headers = {"last-event-id": str(after)}
    async with http.get(f"/v1/conversations/{conversation_id}/events", headers=headers) as response:
        assert response.status == 200, await response.text()
        async with aclosing(server_sent(response.content)) as events:
            yield events


async def so_many(events: AsyncIterator[ServerSent], many: int) -> list[ServerSent]:
    async with asyncio.timeout(20):
        return [await anext(events) for _ in range(many)]


async def test_one_follower_sees_a_whole_conversation(settings: Settings) -> None:
    """Two runs, an operator, a change of state, a reconnect elsewhere and a lost subscription: nothing that stays is missed or
    told twice. What is under way has no number, and is told to whoever is there."""
    async with replica(settings) as there, replica(settings, works=False) as here:
        first = await sent(there.mine)
        conversation_id = first["conversation_id"]
        async with following_all(here.mine, conversation_id) as events:
            got = await seen(events)
            await say(there.house, MINE, UUID(conversation_id), "Oi, aqui é a Ana.")
            got += await so_many(events, 1)
        second = await sent(there.mine, conversation_id=conversation_id)  # while nobody follows
        await ended(there.mine, second["run_id"])
        async with following_all(there.mine, conversation_id, after=got[-1].id) as events:
            got += (missed := await seen(events))
        assert [event.event for event in missed] == ["message", "answer", "finished"]
        async with following_all(here.mine, conversation_id, after=got[-1].id) as events:
            await followed_by(here.house, conversation_id)
            assert await there.house.valkey("CLIENT", "KILL", "TYPE", "pubsub") >= 2
            await hand_over(there.house, MINE, UUID(conversation_id))
            got += await asyncio.wait_for(so_many(events, 1), SOON_S)
            waits = await sent(there.mine, conversation_id=conversation_id)
            got += await asyncio.wait_for(so_many(events, 1), SOON_S)
        stays = [event for event in got if event.id]
        async with following_all(here.mine, conversation_id) as events:
            assert await so_many(events, len(stays)) == stays
        assert [event.id for event in stays] == list(range(1, len(stays) + 1))
        assert {event.event for event in stays} == {"message", "answer", "finished", "state"}
        under_way = [event for event in got if not event.id]
        assert {event.event for event in under_way} <= {"started", "tool_started", "tool_finished", "text"}
        said = [event for event in got if event.event in ("message", "state")]
        assert [event.data.get("role", event.data.get("state")) for event in said] == [
            *("client", "operator", "client", "person", "client")
        ]
        assert [event.data.get("run_id") for event in said] == [first["run_id"], None, second["run_id"], None, None]
        for run in (first, second):
            of_run = [e for e in stays if e.data.get("run_id") == run["run_id"] and e.event != "message"]
            async with following_run(here.mine, run["run_id"]) as events:
                *_, answer, finished = await seen(events)
            alone = [(e.event, e.data | {"run_id": run["run_id"]}) for e in (answer, finished)]
            assert alone == [(e.event, e.data) for e in of_run]
        assert (waits["run_id"], waits["status"]) == (None, "person")


async def test_a_run_is_followed_beside_another_of_its_conversation(settings: Settings) -> None:
    """Messages that come between its events are not its own, and make no gap."""
    async with replica(settings, works=False) as here, replica(settings, model := Steps(hold=2)) as there:
        run = await sent(there.mine)
        async with following_run(here.mine, run["run_id"]) as events:
            before = await seen(events, "tool_finished")
            for text in ("um", "dois"):
                await say(there.house, MINE, UUID(run["conversation_id"]), text)
            model.go.set()
            after = await seen(events)
        assert rise(event.id for event in before + after)
        assert not [event for event in before + after if event.event == "message"]
        assert [event.data["text"] for event in after if event.event == "text"] == ["Here they are."]


async def test_a_long_conversation_comes_in_pages(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PAGE", 7)
    async with replica(settings, works=False) as here:
        run = await sent(here.mine)
        for n in range(30):
            await say(here.house, MINE, UUID(run["conversation_id"]), str(n))
        async with (
            following_all(here.mine, run["conversation_id"]) as events,
            following_all(here.mine, run["conversation_id"], after=20) as later,
        ):
            assert [event.id for event in await so_many(events, 31)] == list(range(1, 32))
            assert [event.id for event in await so_many(later, 11)] == list(range(21, 32))
            await say(here.house, MINE, UUID(run["conversation_id"]), "live")
            for each in (events, later):
                assert (await asyncio.wait_for(anext(each), SOON_S)).data["text"] == "live"


@pytest.mark.parametrize("after", [2, 1000, 999_999_999])
async def test_who_says_to_have_seen_more_than_there_is_sees_what_comes(settings: Settings, after: int) -> None:
    async with replica(settings, works=False) as here:
        run = await sent(here.mine)
        async with following_all(here.mine, run["conversation_id"], after) as events:
            await say(here.house, MINE, UUID(run["conversation_id"]), "oi")
            assert (await asyncio.wait_for(anext(events), SOON_S)).data["text"] == "oi"


async def test_what_was_read_is_followed_from_there(settings: Settings) -> None:
    """Also after its runs' ledgers are no longer kept."""
    async with replica(settings) as here:
        run = await sent(here.mine)
        await ended(here.mine, run["run_id"])
        await forget(here.house, ledger=-1)
        path = f"/v1/conversations/{run['conversation_id']}"
        read = (await call(here.mine, "GET", path)).body
        async with following_all(here.mine, run["conversation_id"]) as events:
            assert [event.event for event in await seen(events)] == ["message", "answer", "finished"]
        assert [message["role"] for message in read["messages"]] == ["client", "assistant"]
        async with following_all(here.mine, run["conversation_id"], read["last_event"]) as events:
            again = await sent(here.mine, conversation_id=run["conversation_id"])
            assert (await seen(events))[0].data["run_id"] == again["run_id"]


async def test_who_follows_what_is_deleted_is_let_go(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told or not; with a run at work."""
    for name in ("LOOK_S", "SILENT_S"):
        monkeypatch.setattr(following, name, 0.2)
    for published in (True, False):
        async with replica(settings, model := Held()) as there, replica(settings, works=False) as here:
            run = await sent(there.mine)
            await model.asked.wait()
            async with (
                following_all(here.mine, run["conversation_id"]) as all_of_it,
                following_run(here.mine, run["run_id"]) as events,
            ):
                await seen(all_of_it, "started")
                await seen(events, "started")
                if not published:
                    there.house.publishing._publish = lambda *_: None  # type: ignore[method-assign]
                path = f"/v1/conversations/{run['conversation_id']}"
                assert (await call(there.mine, "DELETE", path)).status == 204
                for each in (all_of_it, events):
                    assert await asyncio.wait_for(anext(each, None), SOON_S) is None
            for method, path, body in paths(run):
                assert (await call(here.mine, method, path, body)).status == 404, path
            model.go.set()


def paths(run: dict[str, Any]) -> list[tuple[str, str, Any]]:
    of_conversation = f"/v1/conversations/{run['conversation_id']}"
    return [
        ("GET", of_conversation, None),
        ("GET", f"{of_conversation}/events", None),
        ("PATCH", of_conversation, {"title": "x"}),
        ("DELETE", of_conversation, None),
        ("GET", f"/v1/runs/{run['run_id']}", None),
        ("GET", f"/v1/runs/{run['run_id']}/events", None),
        ("POST", f"/v1/runs/{run['run_id']}/cancel", None),
        ("POST", "/v1/runs", {"message": "oi", "conversation_id": run["conversation_id"]}),
    ]


async def test_a_stranger_s_conversation_is_answered_like_nobody_s(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        run = await sent(here.mine)
        nobodys = {"conversation_id": NOBODYS, "run_id": NOBODYS}
        for (method, path, body), (_, other, other_body) in zip(paths(run), paths(nobodys), strict=True):
            theirs, none = (
                await call(here.theirs, method, path, body),
                await call(here.theirs, method, other, other_body),
            )
            assert theirs.status == none.status == 404
            said = theirs.body["detail"].replace(run["conversation_id"], NOBODYS).replace(run["run_id"], NOBODYS)
            assert said == none.body["detail"]
        assert (await call(here.theirs, "GET", "/v1/conversations")).body == {"conversations": [], "before": None}
        assert len((await call(here.mine, "GET", "/v1/conversations")).body["conversations"]) == 1


async def test_a_person_answers_and_gives_back(settings: Settings) -> None:
    async with replica(settings) as here:
        run = await sent(here.mine)
        await ended(here.mine, run["run_id"])
        path = f"/v1/conversations/{run['conversation_id']}"
        await hand_over(here.house, MINE, UUID(run["conversation_id"]))
        body = {"message": "tem alguém?", "conversation_id": run["conversation_id"]}
        for _ in range(2):  # with its key it is said once
            told = await call(here.mine, "POST", "/v1/runs", body, idempotency_key="a key")
            assert (told.status, told.headers["location"]) == (202, path)
            assert told.body == {
                "run_id": None,
                "conversation_id": run["conversation_id"],
                "status": "person",
                "events": f"{path}/events",
            }
        assert (await call(here.mine, "GET", path)).body["state"] == "person"
        await hand_back(here.house, MINE, UUID(run["conversation_id"]))
        again = await sent(here.mine, conversation_id=run["conversation_id"])
        assert (await ended(here.mine, again["run_id"]))["status"] == "succeeded"
        roles = [role for role, _ in await messages(here.mine, run)]
        assert roles == ["client", "assistant", "client", "client", "assistant"]


async def test_a_conversation_is_read_listed_and_renamed_in_pages(settings: Settings) -> None:
    async with replica(settings, works=False, client_concurrency=20) as here:
        runs = [await sent(here.mine) for _ in range(3)]
        first = runs[0]["conversation_id"]
        for n in range(5):
            await say(here.house, MINE, UUID(first), str(n))
        path = f"/v1/conversations/{first}"
        assert (await call(here.mine, "PATCH", path, {"title": "Verão"})).status == 204
        page = (await call(here.mine, "GET", f"{path}?limit=4")).body
        assert (page["title"], page["last_event"], page["before"]) == ("Verão", 6, 3)
        assert [message["text"] for message in page["messages"]] == ["1", "2", "3", "4"]
        earlier = (await call(here.mine, "GET", f"{path}?limit=4&before={page['before']}")).body
        assert ([message["number"] for message in earlier["messages"]], earlier["before"]) == ([1, 2], None)
        listed = (await call(here.mine, "GET", "/v1/conversations?limit=2")).body
        rest = (await call(here.mine, "GET", f"/v1/conversations?limit=2&before={listed['before']}")).body
        ids = [each["conversation_id"] for each in listed["conversations"] + rest["conversations"]]
        assert ids == [run["conversation_id"] for run in (runs[0], runs[2], runs[1])] and rest["before"] is None
        assert listed["conversations"][0]["title"] == "Verão"
        for senseless in ("limit=0", "limit=201", "limit=x", "limit=", "before=-1", "before=1e3", "limit=9999999999"):
            assert (await call(here.mine, "GET", f"{path}?{senseless}")).status == 400, senseless
        for senseless in ("limit=-1", "before=x", "before=1-2"):
            assert (await call(here.mine, "GET", f"/v1/conversations?{senseless}")).status == 400, senseless
        for body in (
            {},
            {"title": None},
            {"title": "x" * 201},
            {"title": "a\nb"},
            {"title": "x", "state": "person"},
            [1],
        ):
            assert (await call(here.mine, "PATCH", path, body)).status == 422, body
