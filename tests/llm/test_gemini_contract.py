"""The lean transport says and hears what Google's own SDK and pydantic-ai's Google model say and hear."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from google import genai
from google.genai import types
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers.google import GoogleProvider

from beerforyou.llm.calls import is_ours
from beerforyou.llm.gemini import Gemini
from beerforyou.llm.gemini_wire import FINISH, thinking_config
from beerforyou.llm.model import Content, Reply, Request, TextPart, ToolCall
from beerforyou.llm.providers import PydanticAI
from beerforyou.usage import Usage
from bench.model_server.script import Raw
from bench.model_server.server import ModelServer
from tests.llm.conversations import REQUESTS
from tests.llm.gemini_replies import REPLIES

MODEL = "gemini-2.5-flash"
OK = Reply(parts=(TextPart("ok"),))
# The SDK and protobuf take either spelling of these.
SPELLINGS = {
    "thinking_budget": "thinkingBudget",
    "thinking_level": "thinkingLevel",
    "parameters_json_schema": "parametersJsonSchema",
}
WHOLE_OR_STREAMED = [
    (name, stream) for name in REPLIES for stream in (False, True) if stream or len(REPLIES[name]) == 1
]


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[ModelServer]:
    async with ModelServer([]) as server:
        yield server


@pytest.fixture
def server(running: ModelServer) -> ModelServer:
    running.asks.clear()
    running.script = lambda ask: OK
    return running


@pytest.fixture(scope="module")
async def lean(running: ModelServer) -> AsyncIterator[Gemini]:
    model = Gemini(MODEL, "k", running.url, 10)
    yield model
    await model.close()


@pytest.fixture(scope="module")
async def pydantic_ai(running: ModelServer) -> AsyncIterator[PydanticAI]:
    model = google(running)
    yield model
    await model.close()


@pytest.fixture(scope="module")
async def sdk(running: ModelServer) -> AsyncIterator[genai.Client]:
    client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=running.url))
    yield client
    await client.aio.aclose()


@pytest.mark.parametrize("name", REQUESTS)
async def test_the_sdk_would_send_the_same(name: str, server: ModelServer, lean: Gemini, sdk: genai.Client) -> None:
    await lean.generate(REQUESTS[name])
    sent = server.asks[-1].body
    config = types.GenerateContentConfig.model_validate(
        sent["generationConfig"]
        | {key: sent[key] for key in ("systemInstruction", "tools", "toolConfig") if key in sent}
    )
    contents = [types.Content.model_validate(content) for content in sent["contents"]]

    await sdk.aio.models.generate_content(model=MODEL, contents=contents, config=config)

    assert spelled(server.asks[-1].body) == spelled(sent)
    assert server.asks[-1].path == server.asks[-2].path
    assert server.asks[-1].headers["x-goog-api-key"] == server.asks[-2].headers["x-goog-api-key"]


@pytest.mark.parametrize("name", REQUESTS)
async def test_pydantic_ai_would_send_the_same(
    name: str, server: ModelServer, lean: Gemini, pydantic_ai: PydanticAI
) -> None:
    """Except that it asks for the modality TEXT, which is the default."""
    await lean.generate(REQUESTS[name])
    await pydantic_ai.generate(resigned(REQUESTS[name]))

    ours, theirs = (spelled(ask.body) for ask in server.asks)
    assert theirs["generationConfig"].pop("responseModalities") == ["TEXT"]
    assert ours == theirs


@pytest.mark.parametrize(("name", "stream"), WHOLE_OR_STREAMED)
async def test_the_sdk_reads_the_same(
    name: str, stream: bool, server: ModelServer, lean: Gemini, sdk: genai.Client
) -> None:
    server.script = lambda ask: recorded(name, stream)
    ours = await lean.generate(REQUESTS["tools"], on_text=drop if stream else None)
    if stream:
        theirs = [chunk async for chunk in await sdk.aio.models.generate_content_stream(model=MODEL, contents="?")]
    else:
        theirs = [await sdk.aio.models.generate_content(model=MODEL, contents="?")]

    parts = [part for chunk in theirs for part in chunk.parts or ()]
    assert ours.text == "".join(part.text for part in parts if part.text and not part.thought)
    assert [(call.name, call.args) for call in ours.tool_calls] == [
        (part.function_call.name, part.function_call.args or {}) for part in parts if part.function_call
    ]
    assert [call.id for call in ours.tool_calls if not is_ours(call.id)] == [
        part.function_call.id for part in parts if part.function_call and part.function_call.id
    ]
    assert [base64.b64decode(part.signature) for part in ours.parts if part.signature] == [
        part.thought_signature for part in parts if part.thought_signature
    ]
    assert ours.usage == sdk_usage(theirs)
    assert ours.finish == sdk_finish(theirs, ours)
    assert ours.model == (theirs[-1].model_version or "")
    assert [source.url for source in ours.sources] == sdk_sources(theirs)


@pytest.mark.parametrize(("name", "stream"), WHOLE_OR_STREAMED)
async def test_pydantic_ai_reads_the_same(
    name: str, stream: bool, server: ModelServer, lean: Gemini, pydantic_ai: PydanticAI
) -> None:
    server.script = lambda ask: recorded(name, stream)
    ours = await lean.generate(REQUESTS["tools"], on_text=drop if stream else None)
    theirs = await pydantic_ai.generate(REQUESTS["tools"], on_text=drop if stream else None)

    assert comparable(ours) == comparable(theirs)


@pytest.mark.parametrize(
    "model",
    ["gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro", "gemini-2.5-flash-image", "gemini-2.0-flash",
     "gemini-3.1-pro-preview", "gemini-3.8-flash", "gemini-4-argon", "gemini-3.1-flash-image", "gemma-3-27b-it"],
)  # fmt: skip
async def test_pydantic_ai_thinks_as_little(model: str, server: ModelServer) -> None:
    """Except that it asks image models to think, and some of generation 3 for MINIMAL, which not all of them take."""
    theirs = google(server, model)
    await theirs.generate(REQUESTS["one question"])
    await theirs.close()

    asked = spelled(server.asks[-1].body)["generationConfig"].get("thinkingConfig")
    if model.endswith("-image"):
        assert thinking_config(model) is None
    else:
        assert thinking_config(model) == asked


def google(server: ModelServer, model: str = MODEL) -> PydanticAI:
    return PydanticAI(model, GoogleModel(model, provider=GoogleProvider(api_key="k", base_url=server.url)), 10)


def recorded(name: str, stream: bool) -> Raw:
    chunks = [msgspec.json.encode(chunk) for chunk in REPLIES[name]]
    if not stream:
        return Raw((chunks[0],))
    return Raw(tuple(b"data: " + chunk + b"\r\n\r\n" for chunk in chunks), "text/event-stream")


def drop(text: str) -> None:
    pass


def spelled(value: Any) -> Any:
    """One spelling of keys, and signatures as the bytes they stand for (the SDK prefers the URL-safe alphabet)."""
    if isinstance(value, list):
        return [spelled(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {SPELLINGS.get(key, key): spelled(item) for key, item in value.items()}
    if "thoughtSignature" in named:
        named["thoughtSignature"] = base64.b64decode(named["thoughtSignature"].translate({45: 43, 95: 47}))
    return named


def resigned(request: Request) -> Request:
    """The same conversation with Gemini's signatures as `providers_wire` carries them."""
    messages = tuple(
        Content(message.role, tuple(resigned_part(part) for part in message.parts)) for message in request.messages
    )
    return msgspec.structs.replace(request, messages=messages)


def resigned_part(part: Any) -> Any:
    if isinstance(part, TextPart | ToolCall) and part.signature and ":" not in part.signature:
        details = msgspec.json.encode({"provider_details": {"thought_signature": part.signature}}).decode()
        return msgspec.structs.replace(part, signature=f"google:{details}")
    return part


def comparable(reply: Reply) -> dict[str, Any]:
    return {
        "text": reply.text,
        "calls": [(call.name, call.args) for call in reply.tool_calls],
        "signatures": [bare(part.signature) for part in reply.parts if part.signature],
        "usage": reply.usage,
        "finish": reply.finish,
        "sources": reply.sources,
    }


def bare(signature: str) -> str:
    packed = signature.partition(":")[2]
    return msgspec.json.decode(packed)["provider_details"]["thought_signature"] if packed else signature


def sdk_usage(chunks: list[types.GenerateContentResponse]) -> Usage:
    """Each chunk counts from the beginning, and may leave out what an earlier one said."""
    counts: dict[str, int] = {}
    for chunk in chunks:
        if chunk.usage_metadata:
            counts |= chunk.usage_metadata.model_dump(exclude_none=True)
    thinking = counts.get("thoughts_token_count", 0)
    return Usage(
        counts.get("prompt_token_count", 0) + counts.get("tool_use_prompt_token_count", 0),
        counts.get("candidates_token_count", 0) + thinking,
        counts.get("cached_content_token_count", 0),
        thinking,
    )


def sdk_finish(chunks: list[types.GenerateContentResponse], ours: Reply) -> str:
    if any(chunk.prompt_feedback and chunk.prompt_feedback.block_reason for chunk in chunks):
        return "safety"
    reasons = [c.candidates[0].finish_reason for c in chunks if c.candidates and c.candidates[0].finish_reason]
    said = any(part for part in ours.parts if isinstance(part, ToolCall) or part.text)
    return FINISH.get(reasons[-1].value if reasons else "", "stop" if said else "empty")


def sdk_sources(chunks: list[types.GenerateContentResponse]) -> list[str]:
    metadata = [c.candidates[0].grounding_metadata for c in chunks if c.candidates]
    found = [chunk.web.uri for m in metadata if m for chunk in m.grounding_chunks or () if chunk.web and chunk.web.uri]
    return list(dict.fromkeys(found))


def test_every_reason_to_finish_is_one_the_sdk_knows() -> None:
    assert {reason for reason in FINISH if reason != "MODEL_ARMOR"} <= set(types.FinishReason.__members__)
