"""OpenAI and Anthropic, through pydantic-ai, against a server that speaks their wire formats."""

import json
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterable

import msgspec
import pytest

from beerforyou.errors import ModelError, ModelTimeout, ModelUnavailable
from beerforyou.llm import providers
from beerforyou.llm.calls import NOT_MADE, is_ours
from beerforyou.llm.model import Content, Part, Reply, Request, Source, TextPart, ToolCall, ToolResult
from beerforyou.llm.providers import PydanticAI
from beerforyou.llm.settling import longest_text, settled
from beerforyou.settings import Settings
from beerforyou.usage import Usage
from bench.model_server.script import Answer, Cut, Drip, Fault, Hang, Raw
from bench.model_server.server import ModelServer
from tests.cpu import quick
from tests.llm.conversations import QUESTION, REQUESTS, SYSTEM, ask

KEY = "sk-not-a-real-key"
NAMES = (
    "openai:gpt-5-mini", "openai-chat:gpt-4.1", "anthropic:claude-haiku-5-5", "azure:gpt-4.1", "azure-responses:gpt-5-mini",
    "ollama:qwen3:4b", "compatible:Qwen/Qwen3-4B", "compatible-responses:gpt-oss-20b",
)  # fmt: skip
OnText = Callable[[str], None] | None


def at(url: str) -> Settings:
    return Settings(
        openai_base_url=url, openai_api_key=KEY, anthropic_base_url=url, anthropic_api_key=KEY,
        azure_base_url=url, azure_openai_api_key=KEY, ollama_base_url=url, ollama_api_key=KEY,
        compatible_base_url=url, compatible_api_key=KEY, model_timeout_s=30,
    )  # fmt: skip


OK = Reply(parts=(TextPart("Achei três\ncervejarias."),))


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[ModelServer]:
    async with ModelServer([]) as server:
        yield server


@pytest.fixture
def server(running: ModelServer) -> ModelServer:
    running.asks.clear()
    running.count = 0
    return running


@pytest.fixture(scope="module", params=NAMES)
async def model(request: pytest.FixtureRequest, running: ModelServer) -> AsyncIterator[PydanticAI]:
    model = providers.connect(request.param, at(running.url))
    yield model
    await model.close()


@pytest.fixture(params=["whole", "streamed"])
def on_text(request: pytest.FixtureRequest) -> OnText:
    return None if request.param == "whole" else (lambda text: None)


REPLIES = {
    "text": OK,
    "a call": Reply(parts=(ToolCall("c1", "search_breweries", {"city": "Austin", "only_new": True, "near": None}),)),
    "text and parallel calls": Reply(
        parts=(
            TextPart("Vou ver."),
            ToolCall("c1", "get_client_profile", {}),
            ToolCall("c2", "search_breweries", {"n": 1}),
        ),
        usage=Usage(900, 40, cached=512),
    ),
    "tokens ran out": Reply(parts=(TextPart("Achei tr"),), finish="length"),
    "refused": Reply(parts=(TextPart("Não posso."),), finish="safety"),
    "nothing": Reply(parts=(), finish="empty"),
}


@pytest.mark.parametrize("name", REPLIES)
async def test_a_reply_means_the_same_on_every_wire(
    name: str, server: ModelServer, model: PydanticAI, on_text: OnText
) -> None:
    server.script = [REPLIES[name]]
    heard = await model.generate(REQUESTS["tools"], on_text)
    said = REPLIES[name]
    assert (heard.text, heard.finish, heard.usage) == (said.text, said.finish, said.usage)
    assert [(c.id, c.name, c.args) for c in heard.tool_calls] == [(c.id, c.name, c.args) for c in said.tool_calls]
    assert heard.model == model.name.partition(":")[2]


@pytest.mark.parametrize("name", [name for name in REQUESTS if name != "grounded"])
async def test_a_conversation_means_the_same_on_every_wire(name: str, server: ModelServer, model: PydanticAI) -> None:
    server.script = [OK]
    request = REQUESTS[name]
    await model.generate(request)
    sent = server.asks[0]
    said = [part for message in request.messages for part in message.parts]
    read = [part for message in sent.messages for part in message.parts]

    texts = [part.text for part in read if isinstance(part, TextPart) and part.text != SYSTEM]
    assert texts == [part.text for part in said if isinstance(part, TextPart)] + list(request.last)
    assert [(c.id, c.name, c.args) for c in calls(read)] == [(c.id, c.name, c.args) for c in calls(said)]
    assert [r.call_id for r in results(read)] == [r.call_id for r in results(said)]
    assert str(sent.body).count(SYSTEM) == (1 if request.system else 0)
    assert KEY in str(sent.headers)


def calls(parts: Iterable[Part]) -> list[ToolCall]:
    return [part for part in parts if isinstance(part, ToolCall)]


def results(parts: Iterable[Part]) -> list[ToolResult]:
    return [part for part in parts if isinstance(part, ToolResult)]


async def test_results_keep_their_content_and_their_failure(server: ModelServer, model: PydanticAI) -> None:
    server.script = [OK]
    await model.generate(REQUESTS["parallel calls"])
    sent = msgspec.json.encode(server.asks[0].body).decode().replace("\\", "").replace(" ", "")
    assert '{"output":["FichaBrewing","Ölmanufaktur"]}' in sent
    assert 'which"Portland"?' in sent
    failed = results([part for message in server.asks[0].messages for part in message.parts])[-1]
    assert failed.is_error or '"error"' in failed.content


async def test_an_error_is_no_json_within_json(server: ModelServer, model: PydanticAI) -> None:
    server.script = [OK]
    await model.generate(REQUESTS["parallel calls"])
    sent = json.dumps(server.asks[0].body, ensure_ascii=False)
    words = 'which "Portland"?'
    forms = (words, json.dumps({"error": words}, ensure_ascii=False, separators=(",", ":")))
    assert any(json.dumps(form, ensure_ascii=False) in sent for form in forms)


async def test_tools_are_declared_and_may_be_forbidden_or_required(server: ModelServer, model: PydanticAI) -> None:
    server.script = [OK, OK, OK]
    for name in ("tools", "text alone", "a call"):
        await model.generate(REQUESTS[name])
    free, forbidden, required = (ask.body for ask in server.asks)
    names = [tool.get("name") or tool["function"]["name"] for tool in free["tools"]]
    assert names == ["search_breweries", "get_client_profile"]
    assert "As the client wrote it." in str(free["tools"])
    assert free["tool_choice"] in ("auto", {"type": "auto"})
    assert forbidden["tool_choice"] in ("none", {"type": "none"})
    assert required["tool_choice"] in ("required", {"type": "any"}) and required["tools"] == free["tools"]


@pytest.mark.parametrize("name", ["openai:gpt-5-mini", "anthropic:claude-haiku-5-5"])
async def test_a_grounded_reply_has_its_sources(name: str, server: ModelServer, on_text: OnText) -> None:
    source = Source("https://ficha.example/about", "Ficha")
    server.script = [Reply(parts=(TextPart("Abriu em 2019."),), sources=(source,))]
    model = providers.connect(name, at(server.url))
    reply = await model.generate(REQUESTS["grounded"], on_text)
    await model.close()
    assert reply.sources == (source,)
    assert [tool["type"].partition("_2")[0] for tool in server.asks[0].body["tools"]] == ["web_search"]


async def test_a_provider_that_cannot_search_says_so(server: ModelServer) -> None:
    model = providers.connect("openai-chat:gpt-4.1", at(server.url))
    with pytest.raises(ModelError, match="WebSearchTool is not supported"):
        await model.generate(REQUESTS["grounded"])
    await model.close()
    assert server.count == 0


@pytest.mark.parametrize("status", [429, 500, 503, 529])
async def test_what_may_pass_is_unavailable(
    server: ModelServer, model: PydanticAI, status: int, on_text: OnText
) -> None:
    """And is not tried again behind the planner's back."""
    server.script = [Fault(status, "try later", {"Retry-After": "7"})]
    with pytest.raises(ModelUnavailable, match="try later") as caught:
        await model.generate(REQUESTS["tools"], on_text)
    assert caught.value.retry_after_s == 7
    assert server.count == 1


@pytest.mark.parametrize(("status", "hint"), [(400, ""), (401, "_KEY"), (403, "_KEY"), (404, "BEERFORYOU_MODEL")])
async def test_what_stays_is_an_error_with_a_hint(
    server: ModelServer, model: PydanticAI, status: int, hint: str, on_text: OnText
) -> None:
    server.script = [Fault(status, f"no, not with {KEY}")]
    with pytest.raises(ModelError, match="no, not with") as caught:
        await model.generate(REQUESTS["tools"], on_text)
    assert not isinstance(caught.value, ModelUnavailable)
    assert hint in caught.value.hint
    assert KEY not in f"{caught.value!r} {caught.value.hint}" + "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("answer", [Hang(), Drip(OK, pause_s=0.02)])
async def test_the_whole_call_has_a_time_limit(
    server: ModelServer, model: PydanticAI, answer: Answer, on_text: OnText, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script = [answer]
    monkeypatch.setattr(model, "_timeout_s", 0.5)
    started = time.monotonic()
    with pytest.raises(ModelTimeout):
        await model.generate(REQUESTS["tools"], on_text)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("keep", [0, 150])
async def test_a_broken_connection_is_worth_another_try(
    server: ModelServer, model: PydanticAI, keep: int, on_text: OnText
) -> None:
    server.script = [Cut(OK, keep)]
    with pytest.raises(ModelUnavailable):
        await model.generate(REQUESTS["tools"], on_text)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"a":', b"{}"])
async def test_garbage_is_an_error(server: ModelServer, model: PydanticAI, body: bytes) -> None:
    server.script = [Raw((body,))]
    with pytest.raises(ModelError):
        await model.generate(REQUESTS["tools"])


async def test_text_arrives_in_pieces(server: ModelServer, model: PydanticAI) -> None:
    server.script = [OK]
    said: list[str] = []
    reply = await model.generate(REQUESTS["tools"], said.append)
    assert said == ["Achei três\n", "cervejarias."]
    assert "".join(said) == reply.text


async def test_an_id_that_the_conversation_has_used_is_not_used_again(server: ModelServer, model: PydanticAI) -> None:
    server.script = [Reply(parts=(ToolCall("call_0", "b", {}),))]
    earlier = Content("model", (ToolCall("call_0", "a", {}),)), Content("tool", (ToolResult("call_0", "a", {}),))
    reply = await model.generate(Request(system="", messages=(QUESTION, *earlier)))
    assert is_ours(reply.tool_calls[0].id)


@pytest.mark.parametrize(
    ("arguments", "kept"), [("[1]", {"not_an_object": [1]}), ('{"city', {"not_an_object": '{"city'}), ("", {})]
)
async def test_odd_arguments_reach_the_planner(server: ModelServer, arguments: str, kept: object) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "a", "arguments": arguments}}
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": None, "tool_calls": [call]},
        "finish_reason": "tool_calls",
    }
    body = {"id": "x", "object": "chat.completion", "created": 1, "model": "gpt-4.1", "choices": [choice]}
    server.script = [Raw((msgspec.json.encode(body),))]
    model = providers.connect("openai-chat:gpt-4.1", at(server.url))
    assert (await model.generate(REQUESTS["tools"])).tool_calls[0].args == kept
    await model.close()


THINKING = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-5-5", "stop_reason": "tool_use",
    "content": [
        {"type": "thinking", "thinking": "They want Austin.", "signature": "EqQBCgIYAhIM"},
        {"type": "tool_use", "id": "c1", "name": "search_breweries", "input": {"city": "Austin"}},
    ],
    "usage": {"input_tokens": 5, "output_tokens": 9},
}  # fmt: skip
REASONING = {
    "id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5-mini", "status": "completed",
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAABo"},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "search_breweries",
         "arguments": '{"city":"Austin"}', "status": "completed"},
    ],
    "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    "usage": {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 9,
              "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 14},
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "thought", "proof"),
    [("anthropic:claude-haiku-5-5", THINKING, "EqQBCgIYAhIM"), ("openai:gpt-5-mini", REASONING, "gAAAAABo")],
)
async def test_thinking_goes_back_to_who_thought_it(
    name: str, thought: dict[str, object], proof: str, server: ModelServer
) -> None:
    """Never as text, and never to another provider."""
    server.script = [Raw((msgspec.json.encode(thought),)), OK, OK]
    model = providers.connect(name, at(server.url))
    first = await model.generate(REQUESTS["tools"])
    assert first.text == ""
    history = (QUESTION, Content("model", first.parts), Content("tool", (ToolResult("c1", "search_breweries", []),)))
    await model.generate(Request(system=SYSTEM, messages=history))
    await model.close()

    other = next(name for name in (NAMES[0], NAMES[2]) if name.partition(":")[0] != model.name.partition(":")[0])
    stranger = providers.connect(other, at(server.url))
    await stranger.generate(Request(system=SYSTEM, messages=(*history, ask("E em Dallas?"))))
    await stranger.close()
    assert proof in str(server.asks[1].body)
    assert proof not in str(server.asks[2].body)
    assert "Austin" in str(server.asks[2].body)


async def test_openai_keeps_nothing(server: ModelServer) -> None:
    server.script = [OK]
    model = providers.connect("openai:gpt-5-mini", at(server.url))
    await model.generate(REQUESTS["tools"])
    await model.close()
    assert server.asks[0].body["store"] is False


async def test_the_environment_has_no_say(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    server.script = [OK]
    model = providers.connect("openai:gpt-5-mini", at(server.url))
    await model.generate(REQUESTS["tools"])
    await model.close()
    assert "from-the-environment" not in str(server.asks[0].headers)


def piece(words: str) -> bytes:
    delta = {
        "choices": [{"index": 0, "delta": {"content": words}}],
        "id": "1",
        "object": "chat.completion.chunk",
        "model": "m",
        "created": 1,
    }
    return b"data: " + msgspec.json.encode(delta) + b"\n\n"


def calling(args: str) -> bytes:
    call = {"id": "c1", "type": "function", "function": {"name": "search_breweries", "arguments": args}}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [call]}}
    return msgspec.json.encode(
        {"id": "1", "object": "chat.completion", "model": "m", "created": 1, "choices": [choice]}
    )


@pytest.fixture
async def openai(running: ModelServer) -> AsyncIterator[PydanticAI]:
    model = providers.connect("openai-chat:gpt-4.1", at(running.url))
    yield model
    await model.close()


@pytest.mark.parametrize("pieces", [[piece("a")] * 10_000, [piece("word " * 8_000)] * 50], ids=["small", "large"])
async def test_a_reply_is_read_until_it_is_too_long(
    server: ModelServer, openai: PydanticAI, pieces: list[bytes]
) -> None:
    server.script = [Raw((b"".join(pieces),), "text/event-stream")]
    heard: list[str] = []
    reply = settled(await openai.generate(REQUESTS["tools"], heard.append), REQUESTS["tools"])
    assert (len(reply.text), reply.finish) == (longest_text(REQUESTS["tools"]), "length")
    assert "".join(heard) == reply.text and "" not in heard


@pytest.mark.parametrize(
    "body",
    [b"data: " + b"x" * 5_000_000, b": ping\n\n" * 40_000, b"data: " + b"[" * 500_000 + b"\n\n", b"x" * 5_000_000],
    ids=["a line without an end", "lines without an event", "deep", "large"],
)
async def test_what_is_no_reply_ends_as_an_error(
    server: ModelServer, openai: PydanticAI, body: bytes, on_text: OnText
) -> None:
    server.script = [Raw((body,), "text/event-stream")]
    with quick(2.0), pytest.raises(ModelError):
        await openai.generate(REQUESTS["tools"], on_text)


@pytest.mark.parametrize("args", ['{"a":' * 50_000, '{"city": "' + "x" * 1_000_000 + '"}', "[" * 20_000 + "]" * 20_000])
async def test_arguments_that_are_too_much_are_not_decoded(server: ModelServer, openai: PydanticAI, args: str) -> None:
    server.script = [Raw((calling(args),))]
    (made,) = settled(await openai.generate(REQUESTS["tools"]), REQUESTS["tools"]).tool_calls
    assert "not called" in made.args[NOT_MADE]
