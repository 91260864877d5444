"""The server itself: loopback, a free port, one script, every request kept.

async with ModelServer([Reply(parts=(Text("hi"),))]) as server:
    ... ask server.url ...; server.asks tells what came
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType

import msgspec
from aiohttp import web

from beerforyou.llm.model import Reply
from bench.model_server.anthropic import Anthropic
from bench.model_server.gemini import Gemini
from bench.model_server.openai_chat import OpenAIChat
from bench.model_server.openai_responses import OpenAIResponses
from bench.model_server.script import Answer, Ask, Cut, Drip, Fault, Hang, Raw, Script, Wire

STREAM = "text/event-stream"
MAX_BODY = 16 * 1024 * 1024


class ModelServer:
    """`keep` False counts requests without keeping them, for load runs."""

    def __init__(self, script: Script, latency_s: float = 0.0, port: int = 0, keep: bool = True) -> None:
        self.script = script
        self.latency_s = latency_s
        self.asks: list[Ask] = []
        self.count = 0
        self.url = ""
        self._port = port
        self._keep = keep
        self._stopping = asyncio.Event()

    async def __aenter__(self) -> ModelServer:
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post(r"/v1beta/models/{model}:{verb:generateContent|streamGenerateContent}", self._gemini)
        for path, wire in (
            ("/v1/chat/completions", OpenAIChat()),
            ("/v1/responses", OpenAIResponses()),
            ("/v1/messages", Anthropic()),
            ("/openai/v1/chat/completions", OpenAIChat()),  # Azure's v1 API, and that with dated versions
            ("/openai/v1/responses", OpenAIResponses()),
            ("/openai/deployments/{model}/chat/completions", OpenAIChat()),
            ("/openai/responses", OpenAIResponses()),
        ):
            app.router.add_post(path, self._route(wire))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        await self._runner.cleanup()

    async def _gemini(self, request: web.Request) -> web.StreamResponse:
        stream = request.match_info["verb"] == "streamGenerateContent"
        body = msgspec.json.decode(await request.read())
        ask = Ask(Gemini(), request.match_info["model"], stream, request.path_qs, dict(request.headers), body)
        return await self._answer(request, ask)

    def _route(self, wire: Wire) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = msgspec.json.decode(await request.read())
            stream = bool(body.get("stream"))
            ask = Ask(wire, body["model"], stream, request.path_qs, dict(request.headers), body)
            return await self._answer(request, ask)

        return handle

    async def _answer(self, request: web.Request, ask: Ask) -> web.StreamResponse:
        answer = self._next(ask)
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        match answer:
            case Hang():
                await self._stopping.wait()
                return web.Response(status=503)
            case Fault(status, message, headers):
                body = ask.wire.error(status, message)
                return web.Response(status=status, body=body, headers=headers, content_type="application/json")
            case Raw():
                return await _write(request, answer.pieces, answer.content_type, answer.status, answer.pause_s)
            case Drip(reply, pause_s, size):
                whole = b"".join(_pieces(reply, ask))
                drops = tuple(whole[i : i + size] for i in range(0, len(whole), size))
                return await _write(request, drops, _content_type(ask), pause_s=pause_s)
            case Cut(reply, keep):
                return await _write(request, (b"".join(_pieces(reply, ask))[:keep],), _content_type(ask), cut=True)
            case Reply():
                return await self._honest(request, answer, ask)

    async def _honest(self, request: web.Request, reply: Reply, ask: Ask) -> web.StreamResponse:
        if ask.stream:
            return await _write(request, tuple(_pieces(reply, ask)), STREAM)
        return web.Response(body=ask.wire.whole(reply, ask), content_type="application/json")

    def _next(self, ask: Ask) -> Answer:
        if self._keep:
            self.asks.append(ask)
        self.count += 1
        if callable(self.script):
            return self.script(ask)
        if self.count > len(self.script):
            return Fault(400, f"the script has {len(self.script)} answers and was asked {self.count} times")
        return self.script[self.count - 1]


def _content_type(ask: Ask) -> str:
    return STREAM if ask.stream else "application/json"


def _pieces(reply: Reply, ask: Ask) -> Iterator[bytes]:
    if ask.stream:
        return ask.wire.events(reply, ask)
    return iter((ask.wire.whole(reply, ask),))


async def _write(
    request: web.Request,
    pieces: tuple[bytes, ...],
    content_type: str,
    status: int = 200,
    pause_s: float = 0.0,
    cut: bool = False,
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers={"Content-Type": content_type})
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
        await asyncio.sleep(pause_s)
    if cut and request.transport is not None:
        request.transport.abort()
        return response
    await response.write_eof()
    return response
