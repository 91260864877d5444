"""The one way out: whatever a tool, a model or a row has in it, what is shown, stored, told and remembered passed the guard."""

from typing import Any

import msgspec
import pytest

from beerforyou import blocks
from beerforyou.answering import pipeline
from beerforyou.answering.guard_out import guard_out
from beerforyou.answering.pipeline import STEPS
from beerforyou.answering.turn import Draft, Turn
from beerforyou.blocks import BreweryCard, BreweryList, Notice, Offer, QuickReplies, Reason, Table, Text
from beerforyou.conversations.memory import past
from beerforyou.house import House
from beerforyou.labels import Label
from beerforyou.reading.question import Filter, Question
from beerforyou.reading.reading import Context, Ref, Search
from beerforyou.tools import TOOLS
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.tool import Result
from tests.answering.test_planner import Scripted, call, calls, says
from tests.conftest import Walk
from tests.hearing import hearing

# Escape, CSI, bell, right-to-left override, isolate, zero width, tag, line separator, private use, NUL, half a character.
EVIL = "\x1b[31m\x9b1m\x07\u202e\u2066\u200b\U000e0041\u2028\ue000\0\ud800"
CARD = BreweryCard(
    brewery_id=f"b{EVIL}1", name=f"A{EVIL}le", brewery_type="micro", city=f"San{EVIL} Diego", state=EVIL, country=EVIL,
    address=f"1{EVIL} St", phone=f"5{EVIL}5", website=f"w{EVIL}", distance_km=1.5,
    reasons=(Reason(key="supplier_in_city", values={"city": f"x{EVIL}"}),),
)  # fmt: skip
EACH = (
    Text(text=f"first{EVIL}\nsecond"),
    CARD,
    BreweryList(breweries=(CARD, CARD), total=2),
    Table(columns=(f"b{EVIL}eer", "n"), rows=((f"A{EVIL}", 1), (EVIL, None)), title=f"t{EVIL}"),
    Offer(brewery_ids=(f"b{EVIL}1",), text=f"More?{EVIL}"),
    QuickReplies(replies=(f"Yes{EVIL}", EVIL)),
    Notice(key="offline", text=f"off{EVIL}line"),
)
CONTEXT = Context(
    shown=(Ref(id=f"b{EVIL}1", name=f"A{EVIL}le", city=EVIL),),
    search=Search(city=f"San{EVIL} Diego"),
    question=Question(filters=(Filter(field="beer", values=(f"A{EVIL}",)),)),
    choices=(Search(name=EVIL),),
)


class Spoken(msgspec.Struct):
    """As much of a turn as the guard looks at."""

    language: Any = "en"


def strings(value: Any) -> list[str]:
    value = msgspec.to_builtins(value)
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in strings(each)]
    if isinstance(value, (list, tuple)):
        return [text for each in value for text in strings(each)]
    return [value] if isinstance(value, str) else []


def clean(value: Any) -> bool:
    return not any(character in text for text in strings(value) for character in EVIL if character not in "[31m")


def test_every_kind_of_block_is_tried() -> None:
    assert {type(block) for block in EACH} == set(blocks.AnyBlock.__args__)


@pytest.mark.parametrize("block", EACH, ids=lambda block: type(block).__name__)
def test_every_string_of_every_block_passes(block: blocks.AnyBlock) -> None:
    draft = Draft(outcome="answered", blocks=(block,), label=Label(), context=CONTEXT)
    answer = guard_out(Spoken(), draft)  # type: ignore[arg-type]
    assert not any(clean(part) for part in (draft.blocks, draft.context))
    assert clean(answer.blocks) and clean(answer.text) and clean(answer.context)
    assert len(answer.blocks) == 1


def test_what_it_leaves_nothing_of_is_not_shown() -> None:
    draft = Draft(outcome="answered", blocks=(Text(text=EVIL.replace("[31m", "").replace("1m", "")),), label=Label())
    assert guard_out(Spoken(), draft).blocks == ()  # type: ignore[arg-type]


async def test_a_tool_that_lies_gets_nothing_past_it(walk: Walk, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither into the answer, nor the events, nor what the next turn remembers of it."""

    async def lies(caller: Caller, hands: Hands, args: Any) -> Result:
        return Result(content={f"k{EVIL}": [f"v{EVIL}"]}, label=caller.public(), blocks=EACH, context=CONTEXT)

    evil = msgspec.structs.replace(TOOLS["search_breweries"], run=lies)
    monkeypatch.setitem(TOOLS, "search_breweries", evil)
    search = call("search_breweries", city="San Diego")
    with hearing(house) as heard:
        run = await walk("breweries in San Diego", Scripted(calls(search), says(f"He{EVIL}re. They are.")))
    events = [event.data for event in heard.of(run["run_id"])]
    assert heard.sentences(run["run_id"])
    assert clean(run["text"]) and clean(run["blocks"]) and clean(events)
    model = Scripted(says("Again."))
    await walk("and in Denver?", model, conversation_id=run["conversation_id"])
    assert "A[31m1mle" in str(model.requests[0].messages) and clean(model.requests[0].messages)


def test_what_is_remembered_is_what_passed() -> None:
    draft = Draft(outcome="answered", blocks=EACH, label=Label())
    answer = guard_out(Spoken(), draft)  # type: ignore[arg-type]
    assert clean(past("question", answer.blocks))


async def test_an_error_leaves_by_the_same_way(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[str] = []

    def seen(turn: Turn, draft: Draft) -> Any:
        passed.append(draft.outcome)
        return guard_out(turn, draft)

    monkeypatch.setattr(pipeline, "guard_out", seen)
    for model in (Scripted(RuntimeError("a bug")), Scripted(says("Fine."))):
        await walk("breweries in San Diego", model)
    await walk("oi")
    assert passed == ["error_internal", "answered", "answered"]


def test_the_corridor_is_named_in_order() -> None:
    names = [step.__name__ for step in STEPS]  # type: ignore[attr-defined]
    assert names == ["guard_in", "read", "small_talk", "recall", "plan", "compose", "guard_out"]
