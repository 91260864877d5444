"""Gemini's wire over loopback, by a server that misbehaves as it is told: `behaves` is used up, its last for ever.

`bench.model_server` plays faults in the words of every provider; here they go down to the socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from tests.llm.gemini_replies import chunk, text

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]
SAID = "Achei três."


class Misbehaving:
    def __init__(self) -> None:
        self.behaves: list[Behaviour] = [good]
        self.count = 0
        self.bodies: list[bytes] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.count += 1
        self.bodies.append(await request.read())
        behave = self.behaves.pop(0) if len(self.behaves) > 1 else self.behaves[0]
        return await behave(request)


@asynccontextmanager
async def misbehaving() -> AsyncIterator[Misbehaving]:
    server, app = Misbehaving(), web.Application()
    app.router.add_post("/v1beta/models/{call}", server.answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


async def good(request: web.Request) -> web.StreamResponse:
    whole = chunk(text(SAID), finish="STOP")
    return await _stream(request, whole) if _streamed(request) else web.json_response(whole)


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3600)
    return web.Response()


async def trickle(request: web.Request) -> web.StreamResponse:
    """Headers, and then a byte now and then that keeps every single wait short."""
    response = web.StreamResponse(headers={"Content-Type": _content_type(request)})
    await response.prepare(request)
    while True:
        await response.write(b" " if not _streamed(request) else b": ping\n\n")
        await asyncio.sleep(0.01)


async def garbage(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"\x00\xff<html>", content_type="application/json")


async def not_http(request: web.Request) -> web.StreamResponse:
    return _cut(request, b"\x00\xff\r\n\r\n")


async def no_reply(request: web.Request) -> web.StreamResponse:
    return web.json_response({"candidates": [{"content": "none"}]})


async def too_many(request: web.Request) -> web.StreamResponse:
    return _refusal(429)


async def failing(request: web.Request) -> web.StreamResponse:
    return _refusal(500)


async def refused(request: web.Request) -> web.StreamResponse:
    return _refusal(400)


async def wrong_key(request: web.Request) -> web.StreamResponse:
    return _refusal(403)


async def reset(request: web.Request) -> web.StreamResponse:
    return _cut(request, b"")


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """After some text, in the middle of the reply."""
    if not _streamed(request):
        return _cut(request, b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{")
    response = await _stream(request, chunk(text("Achei mil e ")), end=False)
    await asyncio.sleep(0.02)  # so that the text is read before the connection is gone
    return _cut(request, b"", response)


def says(*parts: dict[str, object], finish: str = "STOP", **more: object) -> Behaviour:
    """A whole reply of these parts."""

    async def behave(request: web.Request) -> web.StreamResponse:
        whole = chunk(*parts, finish=finish, **more)
        return await _stream(request, whole) if _streamed(request) else web.json_response(whole)

    return behave


async def no_candidates(request: web.Request) -> web.StreamResponse:
    whole = {"candidates": [], "usageMetadata": {"promptTokenCount": 812, "candidatesTokenCount": 25}}
    return await _stream(request, whole) if _streamed(request) else web.json_response(whole)


# Well-formed, paid for, and of no use.
SENSELESS: dict[str, Behaviour] = {
    "malformed call": says(finish="MALFORMED_FUNCTION_CALL", finishMessage="Malformed function call: print(brewpubs"),
    "malformed call after text": says(text("Vou ver."), finish="MALFORMED_FUNCTION_CALL"),
    "unexpected call": says(finish="UNEXPECTED_TOOL_CALL"),
    "too many calls": says(finish="TOO_MANY_TOOL_CALLS"),
    "no candidates": no_candidates,
    "no parts": says(),
    "an empty part": says(text("")),
    "blanks": says(text(" \n ")),
    "nothing that can be seen": says(text("\u200b\u2060")),
    "thoughts only": says(text("The client wants...", thought=True)),
    "thoughts took all tokens": says(text("The client wants...", thought=True), finish="MAX_TOKENS"),
    "a call in a fence": says(text('Um momento.\n```tool_code\nprint(default_api.search_breweries(city="Denver"))\n```')),
    "a call as words": says(text('Vou usar search_breweries(city="Denver")')),
    "a call in two pieces": says(text("Claro! search_bre"), text("weries(city='Denver')")),
    "a call as JSON": says(text('{"city": "Denver"}')),
    "a call in tags": says(text("Vou consultar.\n<tool_call>{}</tool_call>")),
}  # fmt: skip


def retry_after(seconds: float) -> Behaviour:
    async def behave(request: web.Request) -> web.StreamResponse:
        return _refusal(429, {"Retry-After": str(seconds)})

    return behave


def retry_info(seconds: float) -> Behaviour:
    async def behave(request: web.Request) -> web.StreamResponse:
        info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds:g}s"}
        return web.json_response({"error": {"code": 429, "message": "quota", "details": [info]}}, status=429)

    return behave


def slowly(behave: Behaviour, seconds: float) -> Behaviour:
    async def late(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await behave(request)

    return late


def _streamed(request: web.Request) -> bool:
    return "streamGenerateContent" in request.path


def _content_type(request: web.Request) -> str:
    return "text/event-stream" if _streamed(request) else "application/json"


def _refusal(status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"code": status, "message": "not now"}}, status=status, headers=headers)


async def _stream(request: web.Request, event: dict[str, object], end: bool = True) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(b"data: " + msgspec.json.encode(event) + b"\n\n")
    if end:
        await response.write_eof()
    return response


def _cut(request: web.Request, last: bytes, response: web.StreamResponse | None = None) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(last)
    request.transport.close() if last else request.transport.abort()
    return response or web.Response()
