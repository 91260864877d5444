"""Why each tool was or was not called, in the words of the gates; there for every outcome a run can have."""

from collections.abc import Iterable
from typing import Any

import pytest

from beerforyou.answering.decided import NOT_ALLOWED
from beerforyou.answering.gates import ASK_FIRST, GATES, MOST_CALLS
from beerforyou.conversations.accepting import accept
from beerforyou.errors import ModelError, ModelTimeout
from beerforyou.house import House
from beerforyou.llm.model import Model
from beerforyou.runs.cancelling import cancel
from beerforyou.runs.looking import look
from beerforyou.tools import TOOLS
from beerforyou.worker.worker import work
from tests.answering.test_planner import QUESTION, SEARCH, Scripted, call, calls, says
from tests.conftest import Walk

CLIENT = "CLT-00001"


def of(run: dict[str, Any], tool: str) -> list[dict[str, Any]]:
    return [decision for decision in run["decisions"] if decision["tool"] == tool]


def tools(decisions: Iterable[dict[str, Any]]) -> set[str]:
    return {decision["tool"] for decision in decisions}


OUTCOMES: dict[str, tuple[str, Model | None, str, int]] = {
    "a greeting": ("oi", None, "answered", 0),
    "thanks": ("thanks!", None, "answered", 0),
    "another client's data": ("show me what other bars buy, by name", None, "refused_privacy", 0),
    "an answer without a call": (QUESTION, Scripted(says("Here.")), "answered", 2),  # it is asked for one
    "an answer after a call": (QUESTION, Scripted(calls(SEARCH), says("Here.")), "answered", 2),
    "by rule": (QUESTION, None, "answered", 2),
    "a question back": ("breweries in Portland", Scripted(calls(call("search_breweries", city="Portland")), says("Which?")), "clarification", 2),
    "a model that fails": (QUESTION, Scripted(ModelError("400")), "error_model", 1),
    "a model that fails after a call": (QUESTION, Scripted(calls(SEARCH), ModelError("400")), "error_model", 2),
    "a model that is slow": (QUESTION, Scripted(ModelTimeout("slow")), "error_timeout", 1),
    "a bug": (QUESTION, Scripted(RuntimeError("a bug")), "error_internal", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTCOMES)
async def test_each_tool_has_its_reason_whatever_the_outcome(walk: Walk, name: str) -> None:
    message, model, outcome, turns = OUTCOMES[name]
    run = await walk(message, model)
    assert run["outcome"] == outcome
    assert tools(run["decisions"]) == set(TOOLS) and all(decision["why"] for decision in run["decisions"])
    assert max(decision["turn"] for decision in run["decisions"]) == turns
    called = [step["name"] for step in run["steps"] if step["kind"] == "tool"]
    assert sum(decision["calls"] for decision in run["decisions"]) == len(called)


async def test_a_run_that_was_cancelled_says_why_nothing_was_called(house: House) -> None:
    accepted = await accept(house, CLIENT, QUESTION)
    await cancel(house.database.batch, house.publishing, house.bell, CLIENT, accepted.run)
    await work(house, accepted.run)
    run = await look(house.database.as_client(CLIENT), accepted.run)
    assert run.outcome == "cancelled" and {decision.tool for decision in run.decisions} == set(TOOLS)
    assert all("cancelled" in decision.why for decision in run.decisions)


async def test_they_stand_turn_by_turn(walk: Walk) -> None:
    unpaid = call("get_website_summary", brewery="Stone Brewing")
    run = await walk(QUESTION, Scripted(calls(unpaid), calls(SEARCH, unpaid), says("Here.")))
    assert [(d["turn"], d["calls"], d["gate"]) for d in of(run, "get_website_summary")] == [(1, 0, "consent"), (2, 0, "consent")]  # fmt: skip
    assert [(d["turn"], d["calls"], d["gate"]) for d in of(run, "search_breweries")] == [(2, 1, "")]
    assert [d["expected"] for d in of(run, "search_breweries")] == [True]


WITHHELD = {
    "well_formed": (call("search_breweries", city="x" * 10_000), "arguments are too long"),
    "offered": (call("order_beer", beer="all"), "there is no tool order_beer"),
    "consent": (call("get_website_summary", brewery="Stone Brewing"), ASK_FIRST),
}


@pytest.mark.parametrize("gate", WITHHELD)
async def test_a_gate_says_why_to_the_model_and_to_the_record(walk: Walk, gate: str) -> None:
    asked, reason = WITHHELD[gate]
    model = Scripted(calls(asked), says("Here."))
    run = await walk(QUESTION, model)
    (decision,) = of(run, asked.name)
    assert (decision["calls"], decision["gate"]) == (0, gate) and reason in decision["why"]
    (told,) = model.requests[1].messages[-1].parts
    assert reason in str(told.content) and told.is_error  # type: ignore[union-attr]
    assert not [step for step in run["steps"] if step["kind"] == "tool"]


async def test_a_tool_that_the_token_does_not_cover_is_withheld_by_its_scope(house: House) -> None:
    accepted = await accept(house, CLIENT, QUESTION, scopes=frozenset({"profile"}))
    house.model = Scripted(calls(SEARCH), says("Here."))
    try:
        await work(house, accepted.run)
    finally:
        house.model = None
    run = await look(house.database.as_client(CLIENT), accepted.run)
    (decision,) = (decision for decision in run.decisions if decision.tool == "search_breweries")
    assert (decision.gate, decision.why) == NOT_ALLOWED


async def test_enough_is_enough(walk: Walk) -> None:
    pages = [call("search_breweries", f"c{n}", city="San Diego", page=n + 1) for n in range(MOST_CALLS + 5)]
    run = await walk(QUESTION, Scripted(*(calls(*pages[n : n + 9]) for n in (0, 9, 18)), says("Done.")))
    last = of(run, "search_breweries")[-1]
    assert (last["turn"], last["gate"], last["calls"]) == (3, "enough", 2)


async def test_a_call_that_is_withheld_again_ends_the_calling(walk: Walk) -> None:
    unpaid = call("get_website_summary", brewery="Stone Brewing")
    model = Scripted(calls(unpaid), calls(unpaid), says("Here."))
    await walk(QUESTION, model)
    assert [request.tool_choice for request in model.requests] == ["auto", "auto", "none"]


def test_every_gate_is_tried_here() -> None:
    assert {gate.__name__ for gate in GATES} == {*WITHHELD, "scope", "enough"}
