"""`gemini:` against a server that misbehaves in every way we know."""

import asyncio
import os
import time
import traceback
from collections.abc import AsyncIterator, Callable
from unittest import mock

import msgspec
import pytest

from beerforyou.errors import ModelError, ModelTimeout, ModelUnavailable
from beerforyou.llm import gemini
from beerforyou.llm.calls import NOT_MADE, is_ours
from beerforyou.llm.gemini import Gemini
from beerforyou.llm.model import Content, Reply, Request, TextPart, ToolCall, ToolResult
from beerforyou.llm.settling import longest_text, settled
from beerforyou.outside.permit import permitted
from bench.model_server.script import Answer, Cut, Drip, Fault, Hang, Raw
from bench.model_server.server import ModelServer
from tests.llm.conversations import QUESTION, REQUESTS
from tests.llm.gemini_replies import call, chunk, text
from tests.llm.misbehaving import misbehaving

KEY = "AIzaSy-not-a-real-key"
REQUEST = REQUESTS["tools"]
OK = Reply(parts=(TextPart("Achei três\ncervejarias."),))
STREAM = "text/event-stream"
OnText = Callable[[str], None] | None
CALLS: dict[str, OnText] = {"whole": None, "streamed": lambda text: None}


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer([]) as server:
        yield server


@pytest.fixture
async def model(server: ModelServer) -> AsyncIterator[Gemini]:
    model = Gemini("gemini-2.5-flash", KEY, server.url, 5)
    yield model
    await model.close()


@pytest.fixture(params=CALLS)
def on_text(request: pytest.FixtureRequest) -> OnText:
    return CALLS[request.param]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_unavailable(server: ModelServer, model: Gemini, status: int, on_text: OnText) -> None:
    server.script = [Fault(status, "try later")]
    with pytest.raises(ModelUnavailable, match=f"{status}.*try later"):
        await model.generate(REQUEST, on_text)


@pytest.mark.parametrize(("status", "hint"), [(400, ""), (401, "GEMINI_API_KEY"), (403, "GEMINI_API_KEY"),
                                              (404, "BEERFORYOU_MODEL"), (301, "")])  # fmt: skip
async def test_what_stays_is_an_error_with_a_hint(
    server: ModelServer, model: Gemini, status: int, hint: str, on_text: OnText
) -> None:
    server.script = [Fault(status, "no", {"Location": "https://elsewhere.example/"})]
    with pytest.raises(ModelError, match=str(status)) as caught:
        await model.generate(REQUEST, on_text)
    assert not isinstance(caught.value, ModelUnavailable)
    assert hint in caught.value.hint


async def test_a_wrong_key_is_told_from_a_wrong_request(server: ModelServer, model: Gemini) -> None:
    server.script = [Fault(400, "API key not valid. Please pass a valid API key.")]
    with pytest.raises(ModelError) as caught:
        await model.generate(REQUEST)
    assert "GEMINI_API_KEY" in caught.value.hint


RETRY_INFO = {
    "error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED",
              "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "14s"}]}
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Fault(429, headers={"Retry-After": "7"}), 7),
        (Fault(503, headers={"Retry-After": "0.5"}), 0.5),
        (Fault(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), 0),
        (Fault(503, headers={"Retry-After": "soon"}), None),
        (Fault(503, headers={"Retry-After": "-1"}), None),
        (Fault(503), None),
        (Raw((msgspec.json.encode(RETRY_INFO),), status=429), 14),
    ],
)
async def test_how_long_to_wait_is_kept(server: ModelServer, model: Gemini, answer: Answer, wait: float | None) -> None:
    server.script = [answer]
    with pytest.raises(ModelUnavailable) as caught:
        await model.generate(REQUEST)
    assert caught.value.retry_after_s == wait


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"candidates": [{"content": "x"}]}',
        b'{"a":',
        b"\xff\xfe",
        b'{"candidates":' + b"[" * 5000,
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", STREAM, "text/html"])
async def test_garbage_is_an_error(
    server: ModelServer, model: Gemini, body: bytes, content_type: str, on_text: OnText
) -> None:
    framed = b"data: " + body + b"\n\n" if content_type == STREAM and body.startswith((b"[", b"{")) else body
    server.script = [Raw((framed,), content_type)]
    with pytest.raises(ModelError, match="no reply") as caught:
        await model.generate(REQUEST, on_text)
    assert not isinstance(caught.value, ModelUnavailable)


async def test_an_error_page_is_an_error_too(server: ModelServer, model: Gemini) -> None:
    server.script = [Raw((b"<html>upstream</html>",), "text/html", status=502)]
    with pytest.raises(ModelUnavailable, match="502"):
        await model.generate(REQUEST)


async def test_an_error_inside_a_stream_counts_by_its_code(server: ModelServer, model: Gemini) -> None:
    overloaded = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    pieces = (chunk(text("Achei ")), overloaded)
    server.script = [Raw(tuple(b"data: " + msgspec.json.encode(piece) + b"\n\n" for piece in pieces), STREAM)]
    with pytest.raises(ModelUnavailable, match="overloaded"):
        await model.generate(REQUEST, lambda text: None)


@pytest.mark.parametrize("answer", [Hang(), Drip(OK, pause_s=0.02)])
async def test_the_whole_call_has_a_time_limit(server: ModelServer, answer: Answer, on_text: OnText) -> None:
    """Also where bytes keep coming, so that no single wait is long."""
    server.script = [answer]
    model = Gemini("gemini-2.5-flash", KEY, server.url, 0.3)
    started = time.monotonic()
    with pytest.raises(ModelTimeout, match=r"0\.3 s"):
        await model.generate(REQUEST, on_text)
    assert time.monotonic() - started < 2
    await model.close()


async def test_a_slow_reply_within_the_limit_arrives(server: ModelServer, model: Gemini, on_text: OnText) -> None:
    server.script = [Drip(OK, pause_s=0.001)]
    assert (await model.generate(REQUEST, on_text)).text == OK.text


@pytest.mark.parametrize("keep", [0, 1, 150])
async def test_a_broken_connection_is_worth_another_try(
    server: ModelServer, model: Gemini, keep: int, on_text: OnText
) -> None:
    server.script = [Cut(OK, keep)]
    with pytest.raises(ModelUnavailable):
        await model.generate(REQUEST, on_text)


async def test_a_stream_that_just_stops_is_worth_another_try(server: ModelServer, model: Gemini) -> None:
    """Its connection closes in good order, but nothing said that the reply was finished."""
    server.script = [Raw((b"data: " + msgspec.json.encode(chunk(text("Achei "))) + b"\n\n",), STREAM)]
    with pytest.raises(ModelUnavailable, match="broke off"):
        await model.generate(REQUEST, lambda text: None)


async def test_nobody_at_the_address_is_worth_another_try(server: ModelServer) -> None:
    model = Gemini("gemini-2.5-flash", KEY, "http://127.0.0.1:1", 5)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await model.generate(REQUEST)
    await model.close()


async def test_a_reply_has_a_largest_size(
    server: ModelServer, model: Gemini, monkeypatch: pytest.MonkeyPatch, on_text: OnText
) -> None:
    monkeypatch.setattr(gemini, "MAX_REPLY_BYTES", 10_000)
    server.script = [Reply(parts=(TextPart("x" * 20_000),)), Fault(500, "x" * 20_000)]
    for says in ("10000 bytes", "answered 500"):  # a status says enough
        with pytest.raises(ModelError, match=says):
            await model.generate(REQUEST, on_text)


@pytest.mark.parametrize(
    "answer",
    [Fault(400, f"API key not valid: {KEY}"), Fault(503, f"{'x' * 270}{KEY}"), Fault(301), Hang(), Cut(OK, 20),
     Raw((f'{{"error": {{"code": 500, "message": "{KEY}", "status": "{KEY}"}}}}'.encode(),)), Raw((KEY.encode(),))],
)  # fmt: skip
async def test_the_key_is_in_no_error(server: ModelServer, answer: Answer) -> None:
    server.script = [answer]
    model = Gemini("gemini-2.5-flash", KEY, server.url, 0.3)
    with pytest.raises(ModelError) as caught:
        await model.generate(REQUEST)
    await model.close()
    error = caught.value
    assert KEY[:12] not in f"{error!r} {error.hint} {model!r}" + "".join(traceback.format_exception(error))
    assert "x-goog-api-key" in server.asks[0].headers, "the key travels in a header..."
    assert KEY not in server.asks[0].path, "...and not in the address"


async def test_proxies_of_the_environment_are_not_used(server: ModelServer, model: Gemini) -> None:
    server.script = [OK]
    nowhere = {"http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    with mock.patch.dict(os.environ, nowhere):
        assert (await model.generate(REQUEST)).text == OK.text


async def test_text_arrives_in_pieces_before_the_reply_is_whole(server: ModelServer, model: Gemini) -> None:
    pieces = [chunk(text("Achei ")), chunk(text("três.")), chunk(finish="STOP")]
    stream = tuple(b"data: " + msgspec.json.encode(piece) + b"\n\n" for piece in pieces)
    server.script = [Raw(stream, STREAM, pause_s=0.05)]
    said: asyncio.Queue[str] = asyncio.Queue()
    running = asyncio.create_task(model.generate(REQUEST, said.put_nowait))
    assert await said.get() == "Achei "
    assert not running.done()
    assert await said.get() == "três."
    assert (await running).text == "Achei três."


async def test_calls_without_ids_get_their_own(server: ModelServer, model: Gemini) -> None:
    again = chunk(call("a", {}), call("a", {}), call("b", {}, "x"), call("b", {}, "x"), finish="STOP")
    server.script = [Raw((msgspec.json.encode(again),))] * 2
    replies = [await model.generate(REQUEST) for _ in range(2)]
    ids = [call.id for reply in replies for call in reply.tool_calls]
    assert [is_ours(call_id) for call_id in ids] == [True, True, False, True] * 2
    assert len({call_id for call_id in ids if is_ours(call_id)}) == 6


async def test_an_id_that_the_conversation_has_used_is_not_used_again(server: ModelServer, model: Gemini) -> None:
    """Some servers number the calls of each reply from zero."""
    server.script = [Reply(parts=(ToolCall("call_0", "b", {}),))]
    earlier = Content("model", (ToolCall("call_0", "a", {}),)), Content("tool", (ToolResult("call_0", "a", {}),))
    reply = await model.generate(Request(system="", messages=(QUESTION, *earlier)))
    assert reply.tool_calls[0].id != "call_0"


async def test_ids_go_back_to_who_made_them(server: ModelServer, model: Gemini) -> None:
    server.script = [Reply(parts=(ToolCall("", "a", {}), ToolCall("x", "b", {}))), OK]
    first = await model.generate(REQUEST)
    results = tuple(ToolResult(call.id, call.name, {"n": 1}) for call in first.tool_calls)
    await model.generate(
        Request(system="", messages=(QUESTION, Content("model", first.parts), Content("tool", results)))
    )
    model_turn, tool_turn = server.asks[-1].body["contents"][1:]
    assert [part["functionCall"].get("id") for part in model_turn["parts"]] == [None, "x"]
    assert [part["functionResponse"].get("id") for part in tool_turn["parts"]] == [None, "x"]


@pytest.mark.parametrize(
    ("args", "kept"), [(["x"], {"not_an_object": ["x"]}), ("x", {"not_an_object": "x"}), (None, {})]
)
async def test_odd_arguments_reach_the_planner(server: ModelServer, model: Gemini, args: object, kept: object) -> None:
    server.script = [Raw((msgspec.json.encode(chunk({"functionCall": {"name": "a", "args": args}}, finish="STOP")),))]
    assert (await model.generate(REQUEST)).tool_calls[0].args == kept


@pytest.mark.parametrize(
    "messages",
    [(), (Content("model", (TextPart("Oi"),)), QUESTION), (Content("user", ()), QUESTION)],
    ids=["nothing said", "history cut in the middle", "an empty message"],
)
async def test_a_user_always_begins(server: ModelServer, model: Gemini, messages: tuple[Content, ...]) -> None:
    server.script = [OK]
    await model.generate(Request(system="", messages=messages))
    assert server.asks[0].body["contents"][0]["role"] == "user"


async def test_an_error_is_no_object_within_an_object(server: ModelServer, model: Gemini) -> None:
    server.script = [OK]
    await model.generate(REQUESTS["parallel calls"])
    results = [part["functionResponse"] for content in server.asks[-1].body["contents"] for part in content["parts"]
               if "functionResponse" in part]  # fmt: skip
    assert {"error": 'which "Portland"?'} in [result["response"] for result in results]


async def test_calls_run_side_by_side_and_close_ends_the_session(server: ModelServer) -> None:
    server.script, server.latency_s = (lambda ask: OK), 0.2
    model = Gemini("gemini-2.5-flash", KEY, server.url, 5)
    started = time.monotonic()
    replies = await asyncio.gather(*(model.generate(REQUEST) for _ in range(150)))
    assert time.monotonic() - started < 3
    assert server.count == len(replies) == 150
    await model.close()
    await model.close()


async def test_leave_is_asked_when_the_connection_is_there() -> None:
    """A run that was lost while its request waited for a connection costs nothing."""

    class Lost(Exception):
        pass

    def permit() -> None:
        raise Lost

    async with misbehaving() as server:
        model = Gemini("gemini-2.5-flash", "key", server.url, 5.0)
        with permitted(permit), pytest.raises(Lost):
            await model.generate(REQUESTS["tools"])
        await model.generate(REQUESTS["tools"])
        with permitted(permit), pytest.raises(Lost):  # over the connection that is there by now
            await model.generate(REQUESTS["tools"])
        assert server.count == 1
        await model.close()


async def test_a_reply_is_read_until_it_is_too_long(server: ModelServer, model: Gemini) -> None:
    """The rest is not waited for, in however many pieces it comes."""
    some = (b"data: " + msgspec.json.encode(chunk(text(words))) + b"\n\n" for words in ("a", "", "b\n"))
    pieces = tuple(some) * 6_000
    for endless in (pieces, (b"data: " + msgspec.json.encode(chunk(text("word " * 800_000))) + b"\n\n",)):
        server.script = [Raw((b"".join(endless),), "text/event-stream")]
        server.count = 0
        heard: list[str] = []
        reply = await model.generate(REQUEST, heard.append)
        assert (len(reply.text), reply.finish) == (longest_text(REQUEST), "length")
        assert "".join(heard) == reply.text and "" not in heard


@pytest.mark.parametrize(
    "args",
    [
        b'"' + b"x" * 3_000_000 + b'"',
        b"[" + b"[]," * 900_000 + b"1]",
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"[" * 900 + b"]" * 900,
    ],
    ids=["long", "wide", "deep", "deep lists"],
)
async def test_arguments_are_decoded_when_their_size_is_known(server: ModelServer, model: Gemini, args: bytes) -> None:
    whole = msgspec.json.encode(chunk(call("search_breweries", {"here": 1}), finish="STOP")).replace(
        b'{"here":1}', args
    )
    server.script = [Raw((whole,))]
    reply = settled(await model.generate(REQUEST), REQUEST)
    (made,) = reply.tool_calls
    assert "not called" in made.args[NOT_MADE]


@pytest.mark.parametrize("inside", [b'{"candidates":[%s{}]}', b'{"candidates":[{"content":{"parts":[%s{}]}}]}'])
async def test_a_response_of_too_many_objects_is_no_reply(server: ModelServer, model: Gemini, inside: bytes) -> None:
    server.script = [Raw((inside % (b"{}," * 300_000),))]
    with pytest.raises(ModelError, match="objects"):
        await model.generate(REQUEST)
