"""A reading that is sure plans, on both wire formats, request by request: what the model is asked then, and what it is not."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from beerforyou.errors import ModelError
from beerforyou.house import House
from beerforyou.llm.connect import Models
from beerforyou.llm.fallback import Fallback
from beerforyou.llm.gemini import Gemini
from beerforyou.llm.model import Model, Reply, TextPart
from beerforyou.llm.providers import connect
from beerforyou.settings import Settings
from beerforyou.tools import TOOLS
from beerforyou.usage import Usage
from bench.model_server.script import Answer, Ask, Fault
from bench.model_server.server import ModelServer
from tests.answering.test_planner import QUESTION, SEARCH, Scripted, block_types, call, calls, says
from tests.conftest import Walk
from tests.hearing import hearing

CLIENT = "CLT-00001"
COST = Usage(input=900, output=40)
SURE = {
    "cervejarias novas em San Diego": "search_breweries",
    "brewpubs em Denver": "search_breweries",
    "cervecerías en San Diego": "search_breweries",
    "quais micros tem em Austin e em Dallas?": "search_breweries",
    "quanto gastei em outubro?": "run_analytical_query",
    "how many units of IPA did I buy last month?": "run_analytical_query",
    "¿cuánto gasté en octubre?": "run_analytical_query",
    "quais estilos todos os clientes mais compram?": "run_analytical_query",
    "who am I to you?": "get_client_profile",
    "quanto gastei em outubro e que brewpubs tem em Austin?": "run_analytical_query",
}
# what is not certain: words, sentences, a finger at none, another subject, too much at once
UNSURE = [
    "hoppy breweries in San Diego",
    "quanto vendi de IPA em outubro?",
    "por que gastei mais em outubro?",
    "breweries in San Diego, my cousin's band plays there on Sundays",
    "quanto gastei em outubro e o que os unicórnios bebem em Austin?",
    "que share?",
    "what is the capital of France?",
]


WIRES: dict[str, Callable[[str], Model]] = {
    "gemini": lambda url: Gemini("gemini-2.5-flash", "k", url, 10),
    "chat": lambda url: connect(
        "openai-chat:gpt-4.1", Settings(openai_api_key="sk-none", openai_base_url=url, model_timeout_s=10)
    ),
}
Asked = Callable[..., Awaitable[dict[str, Any]]]


class Served:
    """A model on a wire, and what it was asked; `script` is what it says, in order."""

    def __init__(self, server: ModelServer, model: Model) -> None:
        self._server = server
        self.models = Models(Fallback([model], Settings(model_tries=1)), by_rule=False)

    def says(self, *answers: Answer) -> None:
        self._server.asks.clear()
        self._server.count = 0
        self._server.script = list(answers)

    @property
    def asks(self) -> list[Ask]:
        return self._server.asks


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[ModelServer]:
    async with ModelServer([]) as server:
        yield server


@pytest.fixture(scope="module", params=WIRES)
async def served(request: pytest.FixtureRequest, running: ModelServer) -> AsyncIterator[Served]:
    model = WIRES[request.param](running.url)
    yield Served(running, model)
    await model.close()


@contextmanager
def given(house: House, **settings: Any) -> Iterator[None]:
    usual, house.settings = house.settings, replace(house.settings, **settings)
    try:
        yield
    finally:
        house.settings = usual


@pytest.fixture
def sure(house: House, walk: Walk) -> Asked:
    """A message with the setting on, or as it is said."""

    async def asked(message: str, model: Any = None, **more: Any) -> dict[str, Any]:
        known = {name: more.pop(name) for name in ("words", "sure_reading_plans", "max_iterations") if name in more}
        with given(house, **({"sure_reading_plans": True} | known)):
            return await walk(message, model, **more)

    return asked


def kinds(run: dict[str, Any]) -> list[str]:
    return [step["kind"] for step in run["steps"]]


def notices(run: dict[str, Any]) -> list[str]:
    return [block.key for block in run["blocks"] if type(block).__name__ == "Notice"]


def choice(ask: Ask) -> str:
    """As each wire writes it."""
    said = ask.body.get("tool_choice") or ask.body["toolConfig"]["functionCallingConfig"]["mode"]
    word = said["type"] if isinstance(said, dict) else said
    return {"AUTO": "auto", "NONE": "none", "ANY": "required", "any": "required"}.get(word, word)


def last_text(ask: Ask) -> str:
    return "\n".join(part.text for part in ask.messages[-1].parts if isinstance(part, TextPart))


def prefix(ask: Ask) -> str:
    return str([ask.body.get(key) for key in ("systemInstruction", "system", "instructions", "tools")])


# Sure


@pytest.mark.parametrize("message", SURE)
async def test_what_is_understood_whole_asks_no_model(sure: Asked, message: str) -> None:
    nobody = Scripted(ModelError("it was asked"))
    run = await sure(message, nobody)
    assert (run["status"], run["outcome"], nobody.requests) == ("succeeded", "answered", [])
    assert run["planned"] == {"by": "reading", "why": "every word is used"}
    assert kinds(run)[0] == kinds(run)[-1] == "rule" and SURE[message] in [step["name"] for step in run["steps"]]
    assert not any(run["usage"].values()) and not {"offline", "fallback"} & set(notices(run))
    alone = await sure(message)
    assert run["blocks"] == [block for block in alone["blocks"] if getattr(block, "key", "") != "offline"]


@pytest.mark.parametrize("message", ["brewpubs em Denver", "how many units of IPA did I buy last month?"])
async def test_the_sentence_may_be_the_models(sure: Asked, served: Served, house: House, message: str) -> None:
    served.says(says("It is as you see.", usage=COST))
    with hearing(house) as heard:
        run = await sure(message, served.models, words="model")
    (ask,) = served.asks
    assert (choice(ask), ask.stream) == ("none", True)
    assert kinds(run) == ["rule", "tool", "model"] and run["planned"]["by"] == "reading"
    assert run["blocks"][0].text == "It is as you see." and heard.sentences(run["run_id"]) == ["It is as you see."]
    assert run["usage"] == {"input": 900, "output": 40} and notices(run) == []
    said = [part for content in ask.messages for part in content.parts]
    assert TextPart(message) in said and len(ask.results) == 1


async def test_the_prefix_is_the_same_whoever_planned(sure: Asked, served: Served) -> None:
    served.says(says("Here."), calls(SEARCH), says("Here."), calls(SEARCH), says("Here."))
    await sure(QUESTION, served.models, words="model")
    await sure(UNSURE[0], served.models)
    await sure(QUESTION, served.models, sure_reading_plans=False)
    assert len({prefix(ask) for ask in served.asks}) == 1 and "search_breweries" in prefix(served.asks[0])


async def test_ids_of_calls_by_rule_are_such_as_every_provider_takes(sure: Asked, served: Served) -> None:
    shown = await sure(QUESTION)
    served.says(says("Two of them."))
    run = await sure("conta mais da 1 e da 3", served.models, words="model", conversation_id=shown["conversation_id"])
    assert [step["name"] for step in run["steps"] if step["kind"] == "tool"] == ["get_website_summary"] * 2
    ids = [result.call_id for result in served.asks[0].results]
    assert len(ids) == 2 == len(set(ids)) and all(re.fullmatch(r"[\w-]{1,40}", id) for id in ids if id)


async def test_what_a_tool_asks_needs_no_words_of_a_model(sure: Asked, served: Served) -> None:
    served.says()
    run = await sure("breweries in Portland", served.models, words="model")
    assert run["outcome"] == "clarification" and "Portland" in run["text"] and not served.asks


async def test_one_model_call_is_enough_for_a_sentence(sure: Asked) -> None:
    run = await sure(QUESTION, model := Scripted(says("Here.")), words="model", max_iterations=1)
    assert run["text"].startswith("Here.") and len(model.requests) == 1


@pytest.mark.parametrize(
    "bad", [Fault(403, "no"), says(""), Reply(parts=(), finish="safety"), Reply(parts=(), finish="malformed")]
)
async def test_where_the_model_has_no_sentence_the_prepared_one_stands(
    sure: Asked, served: Served, bad: Answer
) -> None:
    prepared = await sure(QUESTION, served.models)
    served.says(*[bad] * 5)
    run = await sure(QUESTION, served.models, words="model")
    assert (run["outcome"], run["text"], notices(run)) == ("answered", prepared["text"], [])
    assert 1 <= len(served.asks) <= 2 and kinds(run)[-1] == "rule" and run["planned"]["by"] == "reading"


async def test_a_sure_call_that_fails_is_the_models_to_mend(
    sure: Asked, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("it is broken")

    monkeypatch.setitem(TOOLS, "search_breweries", replace(TOOLS["search_breweries"], run=broken))
    served.says(calls(call("get_client_profile")), says("I could not search."))
    run = await sure(QUESTION, served.models)
    assert [choice(ask) for ask in served.asks] == ["auto", "auto"] and "not available" in str(served.asks[0].body)
    assert run["planned"] == {"by": "model", "why": "a call that followed from the reading failed"}
    assert kinds(run) == ["rule", "tool", "model", "tool", "model"]


# Not sure


@pytest.mark.parametrize("message", UNSURE)
async def test_what_is_not_sure_goes_to_the_model_as_it_is(sure: Asked, message: str) -> None:
    run = await sure(message, model := Scripted(calls(call("get_client_profile")), says("Let me see.")))
    assert run["planned"]["by"] == "model" and run["planned"]["why"] != "the setting is off"
    assert model.requests[0].tool_choice == "auto" and model.requests[0].messages[-1].parts == (TextPart(message),)


async def test_the_record_says_which_words_were_left_over(sure: Asked) -> None:
    run = await sure("quanto vendi de IPA em outubro?", Scripted(calls(call("get_client_profile")), says("Hm.")))
    assert run["planned"] == {"by": "model", "why": "words are left over", "leftover": ("vendi",)}
    why = {decision["tool"]: decision["why"] for decision in run["decisions"]}
    assert why["get_client_profile"].startswith("the model called it") and why["search_breweries"].startswith(
        "the model did not"
    )
    alone = await sure("quanto vendi de IPA em outubro?")
    assert alone["planned"] == run["planned"] | {"by": "rule"} and kinds(alone) == ["rule"]


async def test_what_is_likely_is_a_hint_behind_all_that_is_stable(sure: Asked, served: Served) -> None:
    served.says(calls(SEARCH), says("Here."), says("Paris is off my beat."))
    await sure("hoppy breweries in San Diego", served.models)
    await sure("what is the capital of France?", served.models)
    first, after, other = served.asks
    assert '"not_understood":["hoppy"]' in last_text(first) and '"city":"San Diego"' in last_text(first)
    assert not any("not_understood" in str(ask.body) for ask in (after, other)) and prefix(first) == prefix(other)


async def test_no_hint_where_the_setting_is_off(sure: Asked) -> None:
    model = Scripted(calls(SEARCH), says("Here."))
    run = await sure("hoppy breweries in San Diego", model, sure_reading_plans=False)
    assert "not_understood" not in model.requests[0].reminder and run["planned"]["why"] == "words are left over"


async def test_a_tool_that_the_token_does_not_cover_is_not_planned_by_the_reading(house: House) -> None:
    from beerforyou.conversations.accepting import accept
    from beerforyou.runs.looking import look
    from beerforyou.worker.worker import work

    accepted = await accept(house, CLIENT, QUESTION, scopes=frozenset({"profile"}))
    house.model = model = Scripted(says("I may not search."))
    with given(house, sure_reading_plans=True):
        await work(house, accepted.run)
    house.model = None
    run = await look(house.database.as_client(CLIENT), accepted.run)
    assert run.planned.why == "it needs a tool that the token does not cover" and len(model.requests) == 1


# What the conversation decides, setting or not


SHOWN = {
    "2": "get_website_summary",
    "sim, a primeira": "get_website_summary",
    "qual o telefone da terceira?": "search_breweries",
    "mais": "search_breweries",
    "mais 3": "search_breweries",
}


async def test_picks_pages_places_and_consent_never_need_a_model(sure: Asked) -> None:
    nobody = Scripted(ModelError("it was asked"))
    shown = await sure("breweries in San Diego")
    for message, tool in SHOWN.items():
        run = await sure(message, nobody, sure_reading_plans=False, conversation_id=shown["conversation_id"])
        assert (run["outcome"], [step["name"] for step in run["steps"]][1:2]) == ("answered", [tool]), message
    asked = await sure("breweries in Portland")
    for message in ("a de Portland, Oregon", "Maine"):
        run = await sure(message, nobody, sure_reading_plans=False, conversation_id=asked["conversation_id"])
        assert run["planned"]["by"] == "reading" and "BreweryList" in block_types(run), message
        asked = await sure("breweries in Portland")


async def test_a_model_cannot_give_consent_to_another_brewery(sure: Asked) -> None:
    """Where it plans beside a yes, since another word of the message was not understood."""
    shown = await sure(QUESTION)
    first, second, *_ = next(block for block in shown["blocks"] if type(block).__name__ == "BreweryList").breweries
    greedy = calls(*(call("get_website_summary", str(n), brewery=b.brewery_id) for n, b in enumerate((first, second))))
    message = f"tell me about {second.name} and its frobnicators"
    run = await sure(message, Scripted(greedy, says("Done.")), conversation_id=shown["conversation_id"])
    assert run["planned"]["by"] == "model"
    cards = [block.brewery_id for block in run["blocks"] if type(block).__name__ == "BreweryCard"]
    assert first.brewery_id not in cards


# Who answers


@pytest.mark.parametrize(
    ("models", "words", "message", "expected"),
    [
        (Models(None, by_rule=False), "prepared", QUESTION, ["offline"]),
        (Models(None, by_rule=False), "model", QUESTION, ["offline"]),
        (Models(Scripted(says("Here.")), by_rule=True), "prepared", QUESTION, []),
        (Models(Scripted(says("Here.")), by_rule=True), "model", QUESTION, []),
        (Models(Scripted(ModelError("403")), by_rule=True), "prepared", QUESTION, []),
        (Models(Scripted(ModelError("403")), by_rule=True), "model", QUESTION, []),
        (Models(Scripted(ModelError("403")), by_rule=True), "prepared", UNSURE[0], ["fallback", "offline"]),
        (Models(Scripted(calls(SEARCH), says("Here.", fallback=True)), by_rule=True), "prepared", UNSURE[0], ["fallback"]),
    ],
)  # fmt: skip
async def test_it_says_who_answers(sure: Asked, models: Models, words: str, message: str, expected: list[str]) -> None:
    run = await sure(message, models, words=words)
    assert notices(run) == expected and run["status"] == "succeeded"


# A call that was not made


async def test_a_call_that_was_not_made_is_asked_for_once_more(sure: Asked, served: Served, house: House) -> None:
    served.says(says("I'm sorry, I can't.", usage=COST), calls(SEARCH, usage=COST), says("Here they are.", usage=COST))
    with hearing(house) as heard:
        run = await sure(QUESTION, served.models, sure_reading_plans=False)
    assert [choice(ask) for ask in served.asks] == ["auto", "required", "auto"]
    assert heard.sentences(run["run_id"]) == ["Here they are."] and "sorry" not in run["text"]
    assert kinds(run) == ["model", "model", "tool", "model"] and run["usage"]["input"] == 2700
    assert prefix(served.asks[0]) == prefix(served.asks[1])


@pytest.mark.parametrize("second", [says("I can't, really."), Fault(400, "tool_choice is not supported")])
async def test_then_what_comes_is_accepted(sure: Asked, served: Served, house: House, second: Answer) -> None:
    served.says(says("I'm sorry, I can't."), second)
    with hearing(house) as heard:
        run = await sure(QUESTION, served.models, sure_reading_plans=False)
    expected = "I can't, really." if isinstance(second, Reply) else "I'm sorry, I can't."
    assert run["text"] == expected and heard.sentences(run["run_id"]) == [expected] and len(served.asks) == 2


@pytest.mark.parametrize("message", [UNSURE[0], UNSURE[1], UNSURE[-1]])
async def test_no_call_is_asked_for_where_none_is_certain(sure: Asked, message: str) -> None:
    await sure(message, model := Scripted(says("Hm.")), sure_reading_plans=False)
    assert [request.tool_choice for request in model.requests] == ["auto"]


async def test_one_of_two_questions_is_enough_to_need_a_call(sure: Asked) -> None:
    message = "quais brewpubs de dragão tem em Austin e quanto gastei em outubro?"
    await sure(message, model := Scripted(says("Hm."), calls(SEARCH), says("Here.")))
    assert [request.tool_choice for request in model.requests] == ["auto", "required", "auto"]


async def test_at_a_limit_of_one_call_none_is_asked_for(sure: Asked) -> None:
    await sure(QUESTION, model := Scripted(says("Hm.")), sure_reading_plans=False, max_iterations=1)
    assert [request.tool_choice for request in model.requests] == ["none"]


async def test_runs_at_the_same_time_are_planned_each_by_itself(sure: Asked, house: House) -> None:
    with given(house, sure_reading_plans=True):
        runs = await asyncio.gather(*(sure(message) for message in SURE))
    assert {run["planned"]["by"] for run in runs} == {"reading"}
