"""Runs that the reading planned: a worker dies at each of their places, and some are planned by the model too, in shadow."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from beerforyou import seams
from beerforyou.answering import run as run_room
from beerforyou.answering import shadow
from beerforyou.conversations.accepting import accept
from beerforyou.conversations.messages import delete
from beerforyou.db.connections import operator
from beerforyou.errors import ModelError
from beerforyou.house import House, opened
from beerforyou.llm.model import Reply, Request, TextPart, ToolCall
from beerforyou.runs.lease import Lease
from beerforyou.runs.looking import ended, look
from beerforyou.runs.plans import plans
from beerforyou.runs.run import Run, Step
from beerforyou.settings import Settings
from beerforyou.usage import Usage
from beerforyou.worker.worker import work, working
from tests.conftest import FreshSettings
from tests.waiting import wait_until

CLIENT, QUESTION = "CLT-00003", "brewpubs em Denver"
SEARCH = ToolCall("c1", "search_breweries", {"city": "denver", "type": "brewpub", "only_new": False})


class Said:
    """Says the same each time; `go` holds it still until then."""

    name = "said:"

    def __init__(self, *parts: TextPart | ToolCall, error: ModelError | None = None, held: bool = False) -> None:
        self.parts, self.error, self.requests = parts, error, list[Request]()
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        if not held:
            self.go.set()

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        self.requests.append(request)
        self.asked.set()
        await self.go.wait()
        if self.error:
            raise self.error
        return Reply(parts=self.parts, usage=Usage(input=10, output=1), model="said-1")

    async def close(self) -> None: ...


@pytest.fixture(scope="module")
async def own(fresh_settings: FreshSettings, demo: Settings) -> AsyncIterator[Settings]:
    """Where no other worker takes our runs; leases are short."""
    async with fresh_settings(demo) as settings:
        yield replace(settings, sweep_s=0.1, lease_s=0.9, sure_reading_plans=True, shadow_share=0.0, grace_s=0.0)


@asynccontextmanager
async def silent(house: House, run_id: UUID, place: str, after: bool = False) -> AsyncIterator[None]:
    """A worker that comes to the place, before what is done at it or after, and is not heard of again."""
    silent = asyncio.Event()

    async def hook(at: str, who: object, work: Coroutine[Any, Any, Any]) -> Any:
        if at != place or silent.is_set():
            return await work
        if after:
            await work
        silent.set()
        try:
            await asyncio.Event().wait()
        finally:
            work.close()

    seams.hang(hook)
    working_on = asyncio.create_task(work(house, run_id))
    try:
        await asyncio.wait_for(silent.wait(), 20)
        yield
    finally:
        seams.hang(None)
        working_on.cancel()
        await asyncio.gather(working_on, return_exceptions=True)


async def last(house: House, run_id: UUID) -> Run:
    run = await ended_of(house, run_id)
    return await look(house.database.as_client(CLIENT), run.run_id, steps=True)


async def ended_of(house: House, run_id: UUID) -> Run:
    return await ended(house.following, house.database.as_client(CLIENT), run_id, 20)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("place", ["rule1", "tool2", "write2", "model3", "finish"])
async def test_a_sure_run_survives_its_worker_and_pays_once(own: Settings, place: str, after: bool) -> None:
    settings = replace(own, words="model")
    async with opened(settings) as first, opened(settings) as second:
        first.model = second.model = model = Said(TextPart("Here they are."))
        accepted = await accept(first, CLIENT, QUESTION)
        async with silent(first, accepted.run_id, place, after), working(second):
            run = await last(second, accepted.run_id)
    steps = [step for step in run.steps or ()]
    assert [step.kind for step in steps] == ["rule", "tool", "model"] and run.text and "Here they are." in run.text
    assert run.planned.by == "reading"
    lost = place == "model3" and after  # its reply had come, and was in no ledger yet: nobody can know of it
    assert len(model.requests) == 1 + lost and run.usage == {"input": 10, "output": 1}


@pytest.mark.parametrize("place", ["rule1", "tool2", "rule3", "finish"])
async def test_without_a_model_there_is_nothing_to_pay_twice(own: Settings, place: str) -> None:
    async with opened(own) as first, opened(own) as second:
        first.model = second.model = model = Said(error=ModelError("it was asked"))
        accepted = await accept(first, CLIENT, QUESTION)
        async with silent(first, accepted.run_id, place), working(second):
            run = await last(second, accepted.run_id)
    assert (run.outcome, model.requests, run.usage) == ("answered", [], {})
    assert [step.kind for step in run.steps or ()] == ["rule", "tool", "rule"]


async def test_where_a_notice_says_it_all_nobody_is_asked_again(own: Settings) -> None:
    """No purchases were ever loaded, so that the prepared sentence is empty."""
    async with operator(own) as connection:
        await connection.execute(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language)"
            " VALUES ('CLT-NEW', 'New', '', '', '', '', 'en') ON CONFLICT DO NOTHING"
        )
    async with opened(own) as house:
        house.model = model = Said(error=ModelError("it was asked"))
        accepted = await accept(house, "CLT-NEW", "who am I to you?")
        await work(house, accepted.run_id)
        run = await look(house.database.as_client("CLT-NEW"), accepted.run, steps=True)
    assert [step.kind for step in run.steps or ()] == ["rule", "tool", "rule"] and model.requests == [] and run.text


async def test_what_a_model_began_a_reading_does_not_begin_anew(own: Settings) -> None:
    """The setting was off for the first worker and is on for the second: the ledger decides."""
    async with opened(replace(own, sure_reading_plans=False)) as first, opened(own) as second:
        first.model = Said(SEARCH)
        second.model = model = Said(TextPart("Here they are."))
        accepted = await accept(first, CLIENT, QUESTION)
        async with silent(first, accepted.run_id, "model3"), working(second):
            run = await last(second, accepted.run_id)
    assert [step.kind for step in run.steps or ()] == ["model", "tool", "model"]
    assert run.planned.by == "model" and len(model.requests) == 1 and run.text and run.text.startswith("Here they are.")


# Shadow


async def shadowed(house: House, run_id: UUID) -> list[Step]:
    run = await look(house.database.as_client(CLIENT), run_id, steps=True)
    return [step for step in run.steps or () if step.purpose == "shadow"]


@pytest.mark.parametrize(
    ("said", "same"),
    [
        ((SEARCH,), True),
        ((replace(SEARCH, args={"city": "Denver", "type": "brewpub", "page": 1}),), True),
        ((replace(SEARCH, args={"city": "Denver"}),), False),
        ((replace(SEARCH, args={"city": "Denver", "type": "brewpub", "no_such": 1}),), True),
        ((SEARCH, ToolCall("c2", "get_client_profile", {})), False),
        ((ToolCall("c2", "no_such_tool", {}),), False),
        ((TextPart("I'm sorry, I can't."),), False),
    ],
)
async def test_a_sample_is_planned_by_the_model_too(own: Settings, said: tuple[Any, ...], same: bool) -> None:
    """Once the client has the answer, which it does not change; nothing is called, and what it cost is in the ledger."""
    async with opened(replace(own, shadow_share=1.0)) as house, working(house):
        house.model = model = Said(*said, held=True)
        accepted = await accept(house, CLIENT, QUESTION)
        run = await ended_of(house, accepted.run_id)
        assert run.outcome == "answered" and run.usage == {}
        await model.asked.wait()
        model.go.set()
        await wait_until(lambda: _any(house, accepted.run_id), "the comparison is kept")
        (step,) = await shadowed(house, accepted.run_id)
        afterwards = await last(house, accepted.run_id)
    assert (step.kind, step.name, step.usage) == ("model", "said-1", {"input": 10, "output": 1})
    assert step.output["same"] is same and step.input["planned"][0]["tool"] == "search_breweries"
    assert [s.kind for s in afterwards.steps or ()] == ["rule", "tool", "rule", "model"]
    assert (afterwards.text, afterwards.blocks) == (run.text, run.blocks)
    (request,) = model.requests
    assert request.tool_choice == "auto" and "not_understood" not in request.reminder
    assert [message.role for message in request.messages] == ["user"]


async def _any(house: House, run_id: UUID) -> bool:
    return bool(await shadowed(house, run_id))


async def test_a_shadow_that_fails_is_said_and_harms_nobody(own: Settings) -> None:
    async with opened(replace(own, shadow_share=1.0)) as house, working(house):
        house.model = Said(error=ModelError("it is down"))
        accepted = await accept(house, CLIENT, QUESTION)
        await wait_until(lambda: _any(house, accepted.run_id), "the failure is kept")
        (step,) = await shadowed(house, accepted.run_id)
        run = await last(house, accepted.run_id)
    assert step.output == {"error": "it is down"} and (run.status, run.planned.by) == ("succeeded", "reading")


async def test_nothing_is_kept_of_a_run_that_was_deleted_meanwhile(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    async def compared(*given: Any) -> None:
        await shadow.compare(*given)
        over.set()

    monkeypatch.setattr(run_room, "compare", compared)
    async with opened(replace(own, shadow_share=1.0)) as house:
        house.model = model = Said(SEARCH, held=True)
        async with working(house):
            accepted = await accept(house, CLIENT, QUESTION)
            await model.asked.wait()
            await delete(house, CLIENT, accepted.conversation_id)
            model.go.set()
            await over.wait()
        rows = await house.database.service.fetch("runs.ledger", accepted.run_id)
    assert rows == []


@pytest.mark.parametrize("message", ["hoppy breweries in Denver", "oi", "sim"])
async def test_what_was_not_sure_has_no_shadow(own: Settings, message: str) -> None:
    async with opened(replace(own, shadow_share=1.0)) as house:
        house.model = Said(TextPart("Hm."))
        assert (await worked(house, message)).afterwards is None
        assert (await worked(house, QUESTION)).afterwards


async def worked(house: House, message: str) -> run_room.Attempt:
    lease = Lease(30.0)
    attempt = run_room.Attempt(house, lease, (await accept(house, CLIENT, message)).run)
    await attempt.work()
    assert attempt.over
    return attempt


def test_the_sample_is_as_large_as_it_is_said_and_the_same_for_everybody() -> None:
    ids = [uuid4() for _ in range(20_000)]
    for share in (0.0, 0.01, 0.3, 1.0):
        chosen = sum(shadow.is_in(run_id, share) for run_id in ids)
        assert abs(chosen - share * len(ids)) <= 5 * (share * (1 - share) * len(ids)) ** 0.5


async def test_share_and_error_of_sure_plans_are_known(fresh_settings: FreshSettings, demo: Settings) -> None:
    async with fresh_settings(demo) as settings:
        settings = replace(settings, sure_reading_plans=True, shadow_share=1.0)
        async with opened(settings) as house, working(house):
            house.model = Said(SEARCH)
            ids = [(await accept(house, CLIENT, text)).run for text in (QUESTION, "brewpubs em Austin", "oi")]
            await wait_until(lambda: _any(house, ids[0]), "the first is compared")
            await wait_until(lambda: _any(house, ids[1]), "the second is compared")
            await ended_of(house, ids[2])
            house.model = Said(TextPart("Hm."))
            await ended_of(house, (await accept(house, CLIENT, "hoppy breweries in Denver")).run)
            found = await plans(house.database.service, 1)
    assert (found.runs, found.share) == (4, 0.75)
    assert {(row["by"], row["why"], row["runs"]) for row in found.why} == {
        ("reading", "every word is used", 2),
        ("reading", "a prepared sentence answers it", 1),
        ("model", "words are left over", 1),
    }
    assert found.shadows == {
        "compared": 2, "different": 1, "failed": 0, "input": 20, "output": 2, "runs": [str(ids[1])]
    }  # fmt: skip
