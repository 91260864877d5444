"""The planner against a scripted model: everything else is real."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from beerforyou.answering import gates
from beerforyou.errors import ModelError, ModelTimeout, ModelUnavailable
from beerforyou.house import House
from beerforyou.llm import settling
from beerforyou.llm.model import Reply, Request, TextPart, ToolCall
from beerforyou.tools import TOOLS
from beerforyou.tools.caller import Caller, Hands
from beerforyou.usage import Usage
from tests.conftest import Walk
from tests.hearing import hearing


class Scripted:
    """Gives the replies in order, and the last one for ever; keeps the requests."""

    name = "scripted:"

    def __init__(self, *replies: Reply | Exception) -> None:
        self._replies = list(replies)
        self.requests: list[Request] = []

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        self.requests.append(request)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, Exception):
            raise reply
        if on_text and reply.text:
            on_text(reply.text)
        return msgspec.structs.replace(reply, model="scripted-1")

    async def close(self) -> None: ...


def call(name: str, id: str = "c1", **args: Any) -> ToolCall:
    return ToolCall(id, name, args)


def calls(*parts: ToolCall, usage: Usage = Usage()) -> Reply:  # noqa: B008 (frozen)
    return Reply(parts=parts, usage=usage)


def says(text: str, **more: Any) -> Reply:
    return Reply(parts=(TextPart(text),), **more)


SEARCH = call("search_breweries", city="San Diego")
QUESTION = "breweries in San Diego"


def kinds(run: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["kind"], step["name"]) for step in run["steps"]]


def block_types(run: dict[str, Any]) -> list[str]:
    return [type(block).__name__ for block in run["blocks"]]


async def test_a_search_becomes_text_cards_and_the_offer(walk: Walk) -> None:
    run = await walk(QUESTION, Scripted(calls(SEARCH), says("Here they are.")))
    assert (run["status"], run["outcome"]) == ("succeeded", "answered")
    assert block_types(run) == ["Text", "BreweryList", "Offer", "QuickReplies"]
    assert all(card.city == "San Diego" for card in run["blocks"][1].breweries)
    assert kinds(run) == [("model", "scripted-1"), ("tool", "search_breweries"), ("model", "scripted-1")]


async def test_parallel_calls_come_back_together_and_in_order(walk: Walk) -> None:
    model = Scripted(
        calls(call("get_client_profile", "a"), call("search_breweries", "b", city="San Diego")), says("Done.")
    )
    await walk(QUESTION, model)
    results = model.requests[1].messages[-1]
    assert results.role == "tool"
    assert [getattr(part, "call_id", None) for part in results.parts] == ["a", "b"]


async def test_five_model_calls_and_no_more(walk: Walk) -> None:
    cities = iter(["San Diego", "Denver", "Austin", "Chicago", "Boston", "Portland"])
    model = Scripted(*(calls(call("search_breweries", city=city)) for city in cities))
    run = await walk(QUESTION, model)
    assert len(model.requests) == 5
    assert model.requests[-1].tool_choice == "none"
    assert "BreweryList" in block_types(run)


async def test_a_planner_that_repeats_itself_is_made_to_answer(walk: Walk) -> None:
    model = Scripted(calls(SEARCH), calls(SEARCH), says("Here they are."))
    run = await walk(QUESTION, model)
    assert kinds(run).count(("tool", "search_breweries")) == 1
    assert model.requests[2].tool_choice == "none"
    assert run["outcome"] == "answered"


@pytest.mark.parametrize(
    ("wrong", "says_what"),
    [
        (call("search_breweries", page="many"), "page"),
        (call("run_analytical_query", measures=["quantity"]), "about is missing; it is one of everyone, me"),
        (call("run_analytical_query", about="me", measures=["everything"]), "it is one of amount, beers"),
        (call("run_analytical_query", about="me", since="yesterday"), "no argument is called 'since'"),
        (call("run_analytical_query", about="me", spans=[{"since": "yesterday"}]), "2026-03-01"),
        (call("run_analytical_query", about="everyone", measures=["amount"]), "which styles most clients buy"),
        (call("run_sql", sql="SELECT 1", about="me"), "about"),
        (call("search_breweries", client_id="CLT-00002"), "client_id"),
        (call("search_breweries", not_an_object="oops"), "not_an_object"),
        (call("drop_tables"), "no tool drop_tables"),
    ],
)
async def test_wrong_arguments_go_back_to_the_model_in_one_line(walk: Walk, wrong: ToolCall, says_what: str) -> None:
    model = Scripted(calls(wrong), says("Sorry."))
    run = await walk(QUESTION, model)
    (result,) = model.requests[1].messages[-1].parts
    assert getattr(result, "is_error", False)
    assert says_what in str(getattr(result, "content", ""))
    assert run["status"] == "succeeded"


async def test_nothing_that_costs_money_runs_before_a_yes(walk: Walk) -> None:
    model = Scripted(calls(call("get_website_summary", brewery="Stone Brewing")), says("Shall I tell you more?"))
    run = await walk(QUESTION, model)
    (result,) = model.requests[1].messages[-1].parts
    assert getattr(result, "is_error", False)
    assert "BreweryCard" not in block_types(run)
    decision = next(d for d in run["decisions"] if d["tool"] == "get_website_summary")
    assert "yes" in decision["why"]


async def test_a_yes_opens_the_way(walk: Walk) -> None:
    shown = await walk(QUESTION, Scripted(calls(SEARCH), says("Here they are.")))
    name = shown["blocks"][1].breweries[0].name
    model = Scripted(calls(call("get_website_summary", brewery=name, city="San Diego")), says("It is fine."))
    run = await walk("the first one, please", model, conversation_id=shown["conversation_id"])
    assert "BreweryCard" in block_types(run)


@pytest.mark.parametrize("finish", ["malformed", "empty"])
async def test_a_reply_without_sense_is_asked_for_again(walk: Walk, finish: Any) -> None:
    model = Scripted(Reply(parts=(), finish=finish), says("Now I know."))
    run = await walk("breweries in San Diego with a dragon", model)
    assert run["text"] == "Now I know." and len(model.requests) == 2


async def test_a_model_that_never_makes_sense_ends_as_an_error(walk: Walk) -> None:
    model = Scripted(Reply(parts=(), finish="malformed"))
    run = await walk(QUESTION, model)
    assert (run["status"], run["outcome"], len(model.requests)) == ("failed", "error_model", 5)


async def test_an_answer_cut_short_says_so(walk: Walk) -> None:
    run = await walk(QUESTION, Scripted(says("This is a long", finish="length")))
    assert block_types(run) == ["Text", "Notice"]
    assert run["blocks"][1].key == "cut_short"


async def test_a_refusal_of_the_model_is_an_error_and_not_an_answer(walk: Walk) -> None:
    run = await walk(QUESTION, Scripted(Reply(parts=(), finish="safety")))
    assert (run["status"], run["outcome"]) == ("failed", "error_model")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ModelUnavailable("503"), "error_model"),
        (ModelError("400"), "error_model"),
        (ModelTimeout("slow"), "error_timeout"),
        (RuntimeError("a bug"), "error_internal"),
    ],
)
async def test_whatever_the_model_does_the_run_ends(walk: Walk, error: Exception, outcome: str) -> None:
    run = await walk(QUESTION, Scripted(error))
    assert (run["status"], run["outcome"]) == ("failed", outcome)
    assert run["text"]


async def test_usage_is_added_up(walk: Walk) -> None:
    usage = Usage(input=100, output=10, cached=40, thinking=3)
    run = await walk(QUESTION, Scripted(calls(SEARCH, usage=usage), says("Done.", usage=usage)))
    assert run["usage"] == {"input": 200, "output": 20, "cached": 80, "thinking": 6}


async def test_what_looks_like_an_escape_breaks_nothing(walk: Walk) -> None:
    run = await walk(QUESTION, Scripted(says(r"a \u0000, \\u0000 and \\\u0000")))
    assert run["text"] == r"a \u0000, \\u0000 and \\\u0000"


async def test_control_characters_of_the_model_reach_nobody(walk: Walk) -> None:
    run = await walk(QUESTION, Scripted(says("\x1b[31mred\x07 \u202eturned\nnext")))
    assert run["text"] == "[31mred turned\nnext"


EVIL = "\x1b]0;x\x07\u202eA\u2066l\u200be\U000e0041"


@pytest.mark.parametrize(
    "sql",
    [
        f'SELECT beer AS "{EVIL}", sum(amount) AS n FROM my_purchases GROUP BY beer',
        f"SELECT '{EVIL}' AS beer, count(*) AS n FROM my_purchases",
        f"SELECT '{EVIL}' AS a, '{EVIL}' AS b",
    ],
)
async def test_control_characters_of_a_result_reach_nobody(walk: Walk, sql: str) -> None:
    model = Scripted(calls(call("run_sql", sql=sql)), says("Done."))
    run = await walk(QUESTION, model)
    everything = str((run, model.requests[1].messages[1:]))
    assert "Table" in block_types(run) and "Ale" in everything
    assert not any(character in everything for character in "\x1b\x07\u202e\u2066\u200b\U000e0041")
    assert not any(
        escape in everything for escape in (r"\x1b", r"\x07", r"\u202e", r"\u2066", r"\u200b", r"\U000e0041")
    )


@pytest.mark.parametrize("words", ["I'll look it up.", "You spent R$ 5. Ever.", "Um\nmomento!"])
@pytest.mark.parametrize("beside", [1, 2, 5])
async def test_what_is_said_beside_a_call_is_told_to_nobody(walk: Walk, house: House, words: str, beside: int) -> None:
    cities = ("San Diego", "Denver", "Austin", "Chicago", "Boston")
    said = [Reply(parts=(TextPart(words), call("search_breweries", city=city))) for city in cities[:beside]]
    with hearing(house) as heard:
        run = await walk(QUESTION, Scripted(*said, says("Here they are. Enjoy!")))
    told = heard.sentences(run["run_id"])
    if beside < 5:
        assert told == ["Here they are.", "Enjoy!"] and run["text"].startswith("Here they are. Enjoy!")
    else:  # asked to talk only, it still calls: then its words are all there is
        assert " ".join(told).split() == words.split() and run["text"].startswith(words)


@pytest.mark.parametrize("words", ['search_breweries(city="Austin")', "Um momento.\n<tool_call>{}</tool_call>", "{}"])
async def test_a_call_that_is_text_is_told_to_nobody(walk: Walk, house: House, words: str) -> None:
    """Neither when a call may still come, nor after a repeated one, when text is told as it is written."""
    for first in ([], [calls(SEARCH), calls(SEARCH)]):
        model = Scripted(*first, says(words), says("Here. They are."))
        with hearing(house) as heard:
            run = await walk(QUESTION, model)
        assert heard.sentences(run["run_id"]) == ["Here.", "They are."]
        assert run["text"].startswith("Here. They are.") and words not in run["text"]


MANY = [{"city": "San Diego", "page": n + 1} for n in range(500)]


@pytest.mark.parametrize(
    ("name", "args", "gate"),
    [
        ("search_breweries", MANY, "well_formed"),
        ("search_breweries", [{"page": f"x{n}"} for n in range(500)], "well_formed"),
        ("run_sql", [{"sql": f"SELECT {n} AS a, 1 AS b"} for n in range(500)], "well_formed"),
        ("run_sql", [{"sql": f"SELECT pg_sleep({n})"} for n in range(500)], "well_formed"),
        ("get_website_summary", [{"brewery": f"x{n}"} for n in range(500)], "consent"),
        ("no_such_tool", [{"n": n} for n in range(500)], "offered"),
    ],
)
async def test_five_hundred_calls_of_one_reply_are_a_few(
    walk: Walk, name: str, args: list[dict[str, Any]], gate: str
) -> None:
    model = Scripted(calls(*(call(name, f"c{n}", **one) for n, one in enumerate(args))), says("Done."))
    run = await walk(QUESTION, model)
    (decision,) = (decision for decision in run["decisions"] if decision["tool"] == name)
    let_through = settling.MOST_CALLS if gate == "well_formed" else 0
    assert kinds(run).count(("tool", name)) == decision["calls"] == let_through and decision["gate"] == gate
    called, results = model.requests[1].messages[-2:]
    assert [part.id for part in called.parts] == [part.call_id for part in results.parts]  # type: ignore[union-attr]
    assert results.parts[-1].content == {"error": settling.TOO_MANY}  # type: ignore[union-attr]
    assert run["status"] == "succeeded" and len(msgspec.json.encode(run["steps"])) < 100_000


async def test_a_run_makes_so_many_calls_and_then_answers(walk: Walk) -> None:
    pages = [call("search_breweries", f"c{n}", **one) for n, one in enumerate(MANY)]
    model = Scripted(*(calls(*pages[n : n + 9]) for n in (0, 9, 18)), says("Done."))
    run = await walk(QUESTION, model)
    assert kinds(run).count(("tool", "search_breweries")) == gates.MOST_CALLS
    assert model.requests[-1].tool_choice == "none" and len(model.requests) == 4


@pytest.mark.parametrize("args", [{"city": "x" * 100_000}, {"city": [[[[[["x"]]]]]]}, {"types": list(range(9_000))}])
async def test_arguments_that_are_too_much_are_kept_nowhere(walk: Walk, house: House, args: dict[str, Any]) -> None:
    model = Scripted(calls(call("search_breweries", **args), SEARCH), says("Done."))
    with hearing(house) as heard:
        run = await walk(QUESTION, model)
    assert kinds(run).count(("tool", "search_breweries")) == 1
    assert "not called" in str(model.requests[1].messages[-1].parts[0])
    events = [event.data for event in heard.of(run["run_id"])]
    assert len(msgspec.json.encode([run["steps"], events])) < 20_000


async def test_a_text_that_is_too_long_is_cut_and_says_so(walk: Walk) -> None:
    run = await walk(QUESTION, Scripted(says("word " * 800_000)))
    assert run["blocks"][1].key == "cut_short" and run["status"] == "succeeded"
    assert len(run["blocks"][0].text) == 8 * 1024
    assert len(msgspec.json.encode(run)) < 100_000


async def test_a_run_has_a_few_connections_at_a_time(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    now, most = 0, 0
    search = TOOLS["search_breweries"]

    async def slow(caller: Caller, hands: Hands, args: Any) -> Any:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0)
        now -= 1
        return await search.run(caller, hands, args)

    monkeypatch.setitem(TOOLS, "search_breweries", msgspec.structs.replace(search, run=slow))
    pages = (call("search_breweries", f"c{n}", **one) for n, one in enumerate(MANY[:9]))
    await walk(QUESTION, Scripted(calls(*pages), says("Done.")))
    assert most == 2  # of a pool of eight


async def test_a_yes_to_one_is_no_yes_to_others(walk: Walk) -> None:
    shown = await walk(QUESTION, Scripted(calls(SEARCH), says("Here they are.")))
    first, second, third, *_ = shown["blocks"][1].breweries
    greedy = calls(
        *(call("get_website_summary", str(n), brewery=b.brewery_id) for n, b in enumerate((first, second, third)))
    )
    run = await walk("the second one", Scripted(greedy, says("Done.")), conversation_id=shown["conversation_id"])
    cards = [block for block in run["blocks"] if type(block).__name__ == "BreweryCard"]
    assert [card.brewery_id for card in cards] == [second.brewery_id]


async def test_equal_calls_at_the_same_time_run_once(walk: Walk) -> None:
    again = call("search_breweries", "c2", city="San Diego")
    run = await walk(QUESTION, Scripted(calls(SEARCH, again), says("Done.")))
    assert kinds(run).count(("tool", "search_breweries")) == 1


async def test_a_failed_turn_is_no_part_of_the_conversation(walk: Walk) -> None:
    failed = await walk(QUESTION, Scripted(ModelError("400")))
    model = Scripted(says("Hello."))
    await walk("breweries in Denver", model, conversation_id=failed["conversation_id"])
    assert [message.role for message in model.requests[0].messages] == ["user"]


async def test_what_was_said_before_is_the_clients_own(walk: Walk) -> None:
    first = await walk(QUESTION, Scripted(says("Hello.")))
    second = await walk(QUESTION, Scripted(says("As I said.")), conversation_id=first["conversation_id"])
    greeting = await walk("oi")
    assert first["labels"] == ["public"]
    assert "client:CLT-00001" in second["labels"] and greeting["labels"] == ["client:CLT-00001"]


@pytest.mark.parametrize("odd", [{"limit": -5}, {"filters": [{"field": "beer", "values": ["a\0b"]}]}])
async def test_odd_arguments_of_a_question_are_told_to_the_model(walk: Walk, odd: dict[str, Any]) -> None:
    model = Scripted(calls(call("run_analytical_query", about="me", **odd)), says("Sorry."))
    run = await walk(QUESTION, model)
    (result,) = model.requests[1].messages[-1].parts
    assert getattr(result, "is_error", False) and run["status"] == "succeeded"


async def test_a_nul_byte_of_the_model_breaks_nothing(walk: Walk) -> None:
    run = await walk(QUESTION, Scripted(says("Here\0 it is.")))
    assert run["text"] == "Here it is."


async def test_an_answer_carries_the_union_of_its_labels(walk: Walk) -> None:
    public = await walk(QUESTION, Scripted(calls(call("search_breweries", city="Denver")), says("Here.")))
    own = await walk(
        QUESTION, Scripted(calls(call("search_breweries", city="San Diego", only_new=True)), says("Here."))
    )
    assert public["labels"] == ["public"]
    assert own["labels"] == ["client:CLT-00001", "public"]
    assert own["versions"].keys() == {"catalogue", "profile", "home", "prompts", "model"}


async def test_the_system_prompt_and_tools_are_equal_for_every_client(walk: Walk) -> None:
    first, second = Scripted(says("Oi.")), Scripted(says("Hi."))
    await walk("any brewpubs in Denver?", first, "CLT-00001")
    await walk("cervejarias em Austin", second, "CLT-00002")
    one, other = first.requests[0], second.requests[0]
    assert (one.system, one.tools) == (other.system, other.tools)
    assert one.reminder != other.reminder


def test_no_tool_has_a_client_among_its_arguments() -> None:
    names: Sequence[str] = [name for tool in TOOLS.values() for name in tool.spec.parameters["properties"]]
    assert names and not any("client" in name or "customer" in name for name in names)


async def test_small_talk_is_everybodys_unless_it_names_the_client(walk: Walk) -> None:
    labels = {message: (await walk(message))["labels"] for message in ("oi", "obrigado", "ajuda")}
    assert labels == {"oi": ["client:CLT-00001"], "obrigado": ["public"], "ajuda": ["public"]}
