"""A conversation has one answer at a time; whoever asks in between chooses to wait, to be refused, or to interrupt."""

import asyncio
import random
from typing import Any

import aiohttp

from beerforyou.settings import Settings
from tests.api.talking import (
    ASK,
    SOON_S,
    Answer,
    Held,
    Talker,
    asked,
    call,
    ended,
    look,
    messages,
    replica,
    texts,
)

NEXT = "brewpubs em Boston"


async def ask_on(http: aiohttp.ClientSession, first: dict[str, Any], on_busy: str = "", message: str = NEXT) -> Answer:
    body = {"message": message, "conversation_id": first["conversation_id"]}
    return await call(http, "POST", "/v1/runs", body | ({"on_busy": on_busy} if on_busy else {}))


async def test_a_message_waits_for_its_turn_and_knows_what_was_answered(settings: Settings) -> None:
    async with replica(settings, model := Talker(holds=True)) as here:
        first = await asked(here.mine)
        await model.asked.wait()
        enqueued, usual = await ask_on(here.mine, first, "enqueue"), await ask_on(here.mine, first, message="e Chicago")
        assert (enqueued.status, usual.status) == (202, 202)
        elsewhere = await asked(here.mine)  # another conversation does not wait
        await model.told(2)
        assert [texts(request)[-1] for request in model.requests] == [ASK["message"]] * 2
        model.go.set()
        for accepted in (first, enqueued.body, usual.body, elsewhere):
            assert (await ended(here.mine, accepted["run_id"]))["status"] == "succeeded"
        said = [text for role, text in await messages(here.mine, first) if role == "assistant"]
    assert texts(model.requests[-1]) == [ASK["message"], said[0], NEXT, said[1], "e Chicago"]
    assert [text in answer for text, answer in zip((ASK["message"], NEXT, "e Chicago"), said, strict=True)] == [
        True
    ] * 3


async def test_a_message_that_does_not_want_to_wait_is_refused(settings: Settings) -> None:
    async with replica(settings, model := Held()) as here:
        first = await asked(here.mine)
        await model.asked.wait()
        refused = await ask_on(here.mine, first, "reject")
        assert (refused.status, refused.body["type"]) == (409, "urn:beerforyou:problem:conflict")
        assert refused.headers["content-type"] == "application/problem+json"
        assert first["conversation_id"] in refused.body["detail"] and refused.body["hint"]
        model.go.set()
        await ended(here.mine, first["run_id"])
        assert len(await messages(here.mine, first)) == 2
        accepted = await ask_on(here.mine, first, "reject")
        assert accepted.status == 202
        assert (await ended(here.mine, accepted.body["run_id"]))["status"] == "succeeded"


async def test_of_messages_at_once_that_do_not_want_to_wait_one_is_accepted(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        async with replica(settings):
            first = await asked(here.mine)
            await ended(here.mine, first["run_id"])
        answers = await asyncio.gather(*(ask_on(here.mine, first, "reject") for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [202, 409, 409, 409, 409]


async def test_a_message_that_interrupts_is_answered_instead(settings: Settings) -> None:
    async with replica(settings, works=False) as here, replica(settings, model := Talker(holds=True)):
        first = await asked(here.mine)
        waiting = (await ask_on(here.mine, first, message="e Chicago")).body
        elsewhere = await asked(here.mine)
        await model.asked.wait()
        last = (await ask_on(here.mine, first, "interrupt")).body
        for accepted in (first, waiting):
            run = await asyncio.wait_for(ended(here.mine, accepted["run_id"]), SOON_S)
            assert (run["status"], run["text"]) == ("cancelled", None)
        assert (await look(here.mine, elsewhere["run_id"])).body["cancel_at"] is None
        model.go.set()
        assert NEXT in (await ended(here.mine, last["run_id"]))["text"]
    assert "e Chicago" not in [texts(request)[-1] for request in model.requests]


async def test_of_messages_at_once_that_interrupt_one_is_answered(settings: Settings) -> None:
    async with replica(settings, model := Talker(holds=True)) as here:
        first = await asked(here.mine)
        await model.asked.wait()
        answers = await asyncio.gather(*(ask_on(here.mine, first, "interrupt") for _ in range(5)))
        model.go.set()
        runs = [await ended(here.mine, answer.body["run_id"]) for answer in answers]
    assert sorted(run["status"] for run in runs) == ["cancelled"] * 4 + ["succeeded"]


async def test_interruptions_do_not_get_into_each_others_way(settings: Settings) -> None:
    most = {"client_concurrency": 1000}
    async with replica(settings, Talker(), **most) as here, replica(settings, Talker(), **most) as there:
        firsts = [await asked(here.mine) for _ in range(4)]
        turns = [(http, first) for first in firsts for http in (here.mine, there.mine)]
        statuses = set()
        for _ in range(40):
            random.shuffle(turns)
            answers = await asyncio.gather(*(ask_on(http, first, "interrupt") for http, first in turns))
            statuses.update(answer.status for answer in answers)
    assert statuses == {202}


async def test_an_interruption_of_nothing_is_a_message(settings: Settings) -> None:
    async with replica(settings) as here:
        first = await asked(here.mine)
        answered = await ended(here.mine, first["run_id"])
        last = await ask_on(here.mine, first, "interrupt")
        assert (last.status, (await ended(here.mine, last.body["run_id"]))["status"]) == (202, "succeeded")
        assert (await look(here.mine, first["run_id"])).body == answered


async def test_two_workers_answer_one_at_a_time_in_order(settings: Settings) -> None:
    model, questions = Talker(), [f"brewpubs em {city}" for city in ("Boston", "Chicago", "Dallas", "Austin")]
    async with replica(settings, model) as here, replica(settings, model):
        first = await asked(here.mine)
        last = [(await ask_on(here.mine, first, message=question)).body for question in questions][-1]
        await ended(here.mine, last["run_id"])
        said = await messages(here.mine, first)
    assert list(dict.fromkeys(texts(request)[-1] for request in model.requests)) == [ASK["message"], *questions]
    assert len(texts(model.requests[-1])) == 9
    assert model.most == 1
    assert len(said) == 10


async def test_another_wish_is_none(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        first = await asked(here.mine)
        refused = await ask_on(here.mine, first, "shout")
        assert (refused.status, "on_busy" in refused.body["detail"]) == (422, True)
        assert (await ask_on(here.mine, first, "enqueue")).status == 202
