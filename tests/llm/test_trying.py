"""`doctor --call`: whether a model can plan, what that costs, and what is wrong where it cannot."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from beerforyou.cli.doctor import _asked
from beerforyou.llm.connect import model_of
from beerforyou.llm.model import Reply, TextPart, ToolCall
from beerforyou.llm.prices import price
from beerforyou.llm.trying import BROUGHT, Called, tried
from beerforyou.settings import Settings
from beerforyou.usage import Usage
from bench.model_server.script import Answer, Fault, Hang
from bench.model_server.server import ModelServer
from tests.llm.test_providers import KEY, NAMES, at

CALL = Reply(parts=(ToolCall("c1", "list_breweries", {"city": "Denver"}),), usage=Usage(200, 20))
LIST = Reply(parts=(TextPart("Great Divide Brewing\nWynkoop Brewing\n"),), usage=Usage(300, 30, cached=200))
ALL = (*NAMES, "gemini:gemini-2.5-flash")


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[ModelServer]:
    async with ModelServer([]) as server:
        yield server


@pytest.fixture
def server(running: ModelServer) -> ModelServer:
    running.asks.clear()
    running.script = lambda ask: LIST if ask.results else CALL
    return running


def there(url: str) -> Settings:
    return replace(at(url), gemini_base_url=url, gemini_api_key=KEY)


@pytest.mark.parametrize("name", ALL)
async def test_a_planner_calls_its_tool_and_streams(name: str, server: ModelServer) -> None:
    model = model_of("model", name, there(server.url))
    assert model
    seen = await tried(model, 512)
    await model.close()
    assert (seen.tool, seen.streams, seen.usage) == ("called", True, Usage(500, 50, cached=200))
    assert (seen.usd is None) == name.startswith(("ollama", "compatible")), "who has no price says so"
    question, answer = server.asks
    assert len(server.asks) == 2 and BROUGHT[-1] in str(answer.body) and BROUGHT[-1] not in str(question.body)


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ('{"name": "list_breweries", "arguments": {"city": "Denver"}}', "written"),
        ('```json\n{"name": "list_breweries", "arguments": {"city": "Denver"}}\n```', "written"),
        ('<tool_call>{"name":"list_breweries"}</tool_call>', "written"),
        ('list_breweries(city="Denver")', "written"),
        ("Denver has many breweries,\nsuch as Great Divide.", "none"),
        ("I would have to list breweries first.", "none"),
        ("", "none"),
    ],
)
@pytest.mark.parametrize("name", ["compatible:x", "openai:gpt-5-mini", "gemini:gemini-2.5-flash"])
async def test_one_that_cannot_call_is_told_apart(name: str, text: str, tool: Called, server: ModelServer) -> None:
    server.script = lambda ask: Reply(parts=(TextPart(text),) if text else (), usage=Usage(200, 9))
    finding, seen = await _asked("model", name, there(server.url))
    assert seen and seen.tool == tool and not finding.ok and "tool" in finding.hint
    assert seen.streams is (len(text.splitlines()) > 1 if text else None)
    assert len(server.asks) == 1


async def test_another_tool_than_ours_is_no_call(server: ModelServer) -> None:
    server.script = lambda ask: Reply(parts=(ToolCall("c1", "web_search", {}),))
    _, seen = await _asked("model", "compatible:x", at(server.url))
    assert seen and seen.tool == "none"


WRONG: dict[str, tuple[Answer, str, str]] = {
    "a wrong key": (Fault(401, "no such key"), "401|no such key", "_KEY"),
    "no right": (Fault(403, "not for you"), "not for you", "_KEY"),
    "unknown model": (Fault(404, "no such model"), "no such model", "BEERFORYOU_MODEL"),
    "refused": (Fault(400, "temperature is not supported"), "not supported", ""),
    "too many": (Fault(429, "slow down"), "slow down", ""),
    "down": (Fault(503, "overloaded"), "overloaded", ""),
    "slow": (Hang(), "within 0.3 s", "BEERFORYOU_MODEL_TIMEOUT_S"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    "name", ["openai:gpt-5-mini", "azure:gpt-4.1", "anthropic:claude-haiku-5-5", "compatible:x", "gemini:g"]
)
async def test_what_is_wrong_is_told(name: str, wrong: str, server: ModelServer) -> None:
    answer, message, hint = WRONG[wrong]
    server.script = lambda ask: answer
    settings = there(server.url)
    settings = replace(settings, model_timeout_s=0.3) if wrong == "slow" else settings
    finding, seen = await _asked("model", name, settings)
    assert not finding.ok and seen is None
    assert any(words in finding.detail for words in message.split("|")) and hint in finding.hint
    assert name in finding.detail and KEY not in f"{finding}"
    assert server.count, "one try"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no-such-host.invalid:8000"])
@pytest.mark.parametrize("of", ["openai", "anthropic", "azure", "ollama", "compatible", "gemini"])
async def test_nobody_there_is_told_with_the_setting(of: str, url: str) -> None:
    model = "gemini:g" if of == "gemini" else next(name for name in NAMES if name.startswith(of))
    finding, _ = await _asked("model", model, there(url))
    assert not finding.ok and "cannot be reached" in finding.detail
    assert f"BEERFORYOU_{of.upper()}_BASE_URL" in finding.hint


@pytest.mark.parametrize(
    ("name", "message"), [("openai:gpt-5", "needs a key"), ("brewgpt:x", "brewgpt"), ("gemini", "names no model")]
)
async def test_what_is_wrong_with_the_settings_is_told_for_each(name: str, message: str) -> None:
    finding, _ = await _asked(
        "fallback_models",
        name,
        replace(at("http://127.0.0.1:1"), openai_api_key="", openai_base_url="https://api.openai.com/v1"),
    )
    assert not finding.ok and message in finding.detail and "BEERFORYOU_FALLBACK_MODELS" in finding.detail


async def test_by_rule_nobody_is_asked() -> None:
    finding, seen = await _asked("model", "offline:", at("http://127.0.0.1:1"))
    assert finding.ok and seen is None


@pytest.mark.parametrize(
    "name", ["gemini:gemini-2.5-flash", "openai:gpt-5-mini", "openai-chat:gpt-4.1", "azure-responses:gpt-5-mini"]
)
def test_a_public_price_is_known(name: str) -> None:
    once, cached = price(name, Usage(1_000_000, 0)), price(name, Usage(1_000_000, 0, cached=1_000_000))
    assert once and cached and cached < once


@pytest.mark.parametrize("name", ["ollama:qwen3", "compatible:gpt-4.1", "openai:no-such-model", "x:"])
def test_no_price_is_guessed(name: str) -> None:
    assert price(name, Usage(1000, 1000)) is None
