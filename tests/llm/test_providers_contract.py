"""What goes out to OpenAI, Azure, Anthropic and those who speak like them is what their SDKs' types allow, where they send it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from msgspec.structs import replace
from openai import AsyncAzureOpenAI, AsyncOpenAI
from openai.types.chat import ChatCompletion
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses import Response
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter

from beerforyou.llm import providers
from beerforyou.llm.model import Reply, TextPart, ToolCall
from beerforyou.settings import Settings
from beerforyou.usage import Usage
from bench.model_server.script import Ask
from bench.model_server.server import ModelServer
from tests.llm.conversations import REQUESTS
from tests.llm.test_providers import KEY, NAMES, at

DATED = "2024-10-21"
CHAT, RESPONSES, MESSAGES = (
    TypeAdapter(kind)
    for kind in (CompletionCreateParamsNonStreaming, ResponseCreateParamsNonStreaming, MessageCreateParamsNonStreaming)
)
OK = Reply(parts=(TextPart("ok"),), usage=Usage(9, 3, 2))
CALL = Reply(parts=(ToolCall("c1", "search_breweries", {"city": "Austin"}),), usage=Usage(9, 3, 2))


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[ModelServer]:
    async with ModelServer(lambda ask: OK) as server:
        yield server


@pytest.fixture
def server(running: ModelServer) -> ModelServer:
    running.asks.clear()
    running.script = lambda ask: OK
    return running


def allowed(ask: Ask) -> Any:
    """The body as the SDK's types read it, every part of it. Raises ValidationError."""
    by_path = {"/responses": RESPONSES, "/messages": MESSAGES, "/completions": CHAT}
    adapter = next(kind for end, kind in by_path.items() if ask.path.partition("?")[0].endswith(end))
    return whole(adapter.validate_python(ask.body))


def whole(value: Any) -> Any:
    """pydantic checks what an iterable holds only as it is read."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    return value if isinstance(value, (str, int, float, type(None))) else [whole(inner) for inner in value]


def version(name: str) -> list[tuple[str, str]]:
    return [(name, ""), (name, DATED), (name, "preview")] if name.startswith("azure") else [(name, "")]


@pytest.mark.parametrize(("name", "dated"), [each for name in NAMES for each in version(name)])
@pytest.mark.parametrize("request_name", [name for name in REQUESTS if name != "grounded"])
async def test_the_types_of_the_sdk_allow_it(name: str, dated: str, request_name: str, server: ModelServer) -> None:
    model = providers.connect(name, replace(at(server.url), azure_api_version=dated))
    await model.generate(REQUESTS[request_name])
    await model.close()
    (ask,) = server.asks
    assert set(ask.body) == set(allowed(ask)), "what no type names, none reads"
    if "/responses" in ask.path:
        assert ask.body["store"] is False, "a client's data is not left there"


def sdk(name: str, settings: Settings) -> AsyncOpenAI | AsyncAnthropic:
    """As its documentation sets it up."""
    match name.partition(":")[0]:
        case "anthropic":
            return AsyncAnthropic(api_key=KEY, base_url=settings.anthropic_base_url)
        case "azure" | "azure-responses" if settings.azure_api_version == DATED:
            return AsyncAzureOpenAI(azure_endpoint=settings.azure_base_url, api_version=DATED, api_key=KEY)
        case "azure" | "azure-responses":
            query = {"api-version": "preview"} if settings.azure_api_version else {}
            return AsyncOpenAI(api_key=KEY, base_url=f"{settings.azure_base_url}/openai/v1/", default_query=query)
    return AsyncOpenAI(api_key=KEY, base_url=f"{settings.openai_base_url}/v1/")


@pytest.mark.parametrize(("name", "dated"), [each for name in NAMES for each in version(name)])
async def test_the_sdk_would_send_it_there(name: str, dated: str, server: ModelServer) -> None:
    settings = replace(at(server.url), azure_api_version=dated)
    model = providers.connect(name, settings)
    await model.generate(REQUESTS["parallel calls"])
    await model.close()
    ours = server.asks[0]
    async with sdk(name, settings) as client:
        how: Any = (
            client.responses
            if "/responses" in ours.path
            else client.messages
            if "/messages" in ours.path
            else client.chat.completions
        )  # type: ignore[union-attr]
        await how.create(**ours.body)
    theirs = server.asks[1]
    assert (ours.path, ours.body) == (theirs.path, theirs.body)
    headers = {header.lower(): value for header, value in theirs.headers.items()}
    ways = [way for way in ("authorization", "api-key", "x-api-key", "anthropic-version") if way in headers]
    sent = {header.lower(): value for header, value in ours.headers.items()}
    if name.startswith("azure"):  # which takes both, and whose own examples have the first
        assert sent["api-key"] == KEY and "authorization" not in sent
    else:
        assert [sent[way] for way in ways] == [headers[way] for way in ways]


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("anthropic")])
@pytest.mark.parametrize("reply", [OK, CALL], ids=["text", "a call"])
async def test_the_simulated_server_speaks_as_the_types_say(name: str, reply: Reply, server: ModelServer) -> None:
    server.script = lambda ask: reply
    model = providers.connect(name, at(server.url))
    await model.generate(REQUESTS["tools"])
    await model.close()
    (ask,) = server.asks
    kind = Response if "/responses" in ask.path else ChatCompletion
    read = kind.model_validate_json(ask.wire.whole(reply, ask))
    assert read.usage and not read.model_extra
