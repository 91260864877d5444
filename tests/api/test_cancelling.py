"""A run that is cancelled ends soon, costs nothing more, and leaves its conversation as it was, wherever it is worked on."""

import asyncio
from uuid import UUID, uuid4

from beerforyou.house import House
from beerforyou.runs import looking
from beerforyou.settings import Settings
from tests.api.conftest import MINE
from tests.api.talking import (
    ASK,
    SOON_S,
    Held,
    Steps,
    Talker,
    asked,
    cancel,
    ended,
    following,
    look,
    messages,
    replica,
    seen,
    texts,
)


async def test_a_run_that_waits_ends_without_having_cost_anything(settings: Settings) -> None:
    model = Talker()
    async with replica(settings, works=False) as here:
        run_id, beside = [(await asked(here.mine))["run_id"] for _ in range(2)]
        answer = await cancel(here.mine, run_id)
        assert (answer.status, answer.body) == (202, {"run_id": run_id, "status": "cancelling"})
        run = (await look(here.mine, run_id)).body
        assert (run["status"], bool(run["cancel_at"])) == ("queued", True)
        async with replica(settings, model):
            run = await ended(here.mine, run_id)
            assert (await ended(here.mine, beside))["status"] == "succeeded"
    assert (run["status"], run["outcome"], run["text"], run["usage"]) == ("cancelled", "cancelled", None, {})
    assert [request.tool_choice for request in model.requests] == ["auto", "required"], "of the one beside it"


async def test_a_model_call_is_broken_off_wherever_it_is_made(settings: Settings) -> None:
    async with replica(settings, works=False) as here, replica(settings, model := Held()) as there:
        run_id, beside = [(await asked(there.mine))["run_id"] for _ in range(2)]
        async with following(there.mine, run_id) as near, following(here.mine, run_id) as far:
            for events in (near, far):
                await seen(events, "started")
            assert (await cancel(here.mine, run_id)).status == 202
            for events in (near, far):
                (finished,) = await asyncio.wait_for(seen(events), SOON_S)
                assert finished.data == {"status": "cancelled", "outcome": "cancelled"}
        model.go.set()
        assert (await ended(here.mine, beside))["status"] == "succeeded"


async def test_what_was_made_by_then_stays_in_the_ledger(settings: Settings) -> None:
    async with replica(settings, model := Steps(hold=2)) as here:
        run_id = (await asked(here.mine))["run_id"]
        await model.asked.wait()
        await cancel(here.mine, run_id)
        run = await asyncio.wait_for(ended(here.mine, run_id), SOON_S)
        steps = (await looking.look(here.house.database.as_client(MINE), UUID(run_id), steps=True)).steps
    assert (run["status"], run["usage"]["input"], model.calls) == ("cancelled", 10, 1)
    assert [step.name for step in steps if step.kind == "tool"] == ["search_breweries"]


async def test_a_worker_that_did_not_hear_of_it_stops_before_what_costs_next(settings: Settings) -> None:
    async with replica(settings, model := Steps(hold=2)) as here:
        run_id = (await asked(here.mine))["run_id"]
        await model.asked.wait()
        await cancel_unheard(here.house, run_id)
        model.go.set()
        run = await asyncio.wait_for(ended(here.mine, run_id), SOON_S)
        steps = (await looking.look(here.house.database.as_client(MINE), UUID(run_id), steps=True)).steps
    assert (run["status"], model.calls) == ("cancelled", 2)
    assert [step.kind for step in steps] == ["model", "tool", "model", "tool"]  # this tool cost nothing


async def test_a_worker_that_did_not_hear_of_it_learns_it_from_its_heartbeat(settings: Settings) -> None:
    async with replica(settings, model := Held(), lease_s=0.9) as here:
        run_id = (await asked(here.mine))["run_id"]
        await model.asked.wait()
        await cancel_unheard(here.house, run_id)
        assert (await asyncio.wait_for(ended(here.mine, run_id), SOON_S))["status"] == "cancelled"


async def cancel_unheard(house: House, run_id: str) -> None:
    """As when Valkey loses what is published."""
    await house.database.batch.write("runs.cancel", MINE, UUID(run_id), None, b"")


async def test_a_run_that_ended_stays_as_it_is(settings: Settings) -> None:
    async with replica(settings) as here:
        run_id = (await asked(here.mine))["run_id"]
        run = await ended(here.mine, run_id)
        answer = await cancel(here.mine, run_id)
        assert (answer.status, answer.body) == (200, {"run_id": run_id, "status": "succeeded"})
        assert (await look(here.mine, run_id)).body == run


async def test_a_run_is_cancelled_once_however_often_it_is_asked_for(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        run_id = (await asked(here.mine))["run_id"]
        answers = await asyncio.gather(*(cancel(here.mine, run_id) for _ in range(5)))
        assert {answer.status for answer in answers} == {202}
        async with replica(settings):
            await ended(here.mine, run_id)
        answer = await cancel(here.mine, run_id)
        assert (answer.status, answer.body["status"]) == (200, "cancelled")


async def test_what_is_another_clients_cannot_be_cancelled_nor_told_from_nothing(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        mine, nobodys = (await asked(here.mine))["run_id"], str(uuid4())
        others, none = await cancel(here.theirs, mine), await cancel(here.theirs, nobodys)
        assert (others.status, none.status) == (404, 404)
        assert str(others.body).replace(mine, nobodys) == str(none.body)
        assert (await look(here.mine, mine)).body["cancel_at"] is None
        assert (await cancel(here.mine, mine)).status == 202
        assert (await cancel(here.mine, "one")).status == 404


async def test_a_conversation_goes_on_as_if_nothing_had_been_asked(settings: Settings) -> None:
    async with replica(settings, model := Talker()) as here:
        first = await asked(here.mine)
        await ended(here.mine, first["run_id"])
        going_on = {"conversation_id": first["conversation_id"]}
        model.go.clear()
        second = await asked(here.mine, {"message": "brewpubs em Boston"} | going_on)
        async with following(here.mine, second["run_id"]) as events:
            await seen(events, "started")
            await cancel(here.mine, second["run_id"])
            await asyncio.wait_for(seen(events), SOON_S)
        model.go.set()
        third = await asked(here.mine, {"message": "brewpubs em Chicago"} | going_on)
        assert (await ended(here.mine, third["run_id"]))["status"] == "succeeded"
        said = await messages(here.mine, first)
    assert [role for role, _ in said] == ["client", "assistant", "client", "client", "assistant"]
    assert texts(model.requests[-1]) == [ASK["message"], said[1][1], "brewpubs em Chicago"]
