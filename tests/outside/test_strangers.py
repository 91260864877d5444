"""Whoever calls outside is as safe as the others from what may come back, and from where an address may lead."""

import asyncio
import gzip
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from beerforyou.api import provider_keys
from beerforyou.api.provider_keys import ProviderKeys
from beerforyou.catalogue.api import Pace, Web
from beerforyou.errors import BeerForYouError
from beerforyou.llm import providers
from beerforyou.llm.gemini import Gemini
from beerforyou.outside.fetch import Outside
from beerforyou.outside.public import named_by_operator
from beerforyou.settings import Settings
from beerforyou.webhooks.sending import Response, Sender
from tests.llm.conversations import REQUESTS
from tests.outside.strangers import serving

LIMIT_S = 0.5
LOOPBACK = "127.0.0.0/8,::1/128"
BOMB = gzip.compress(b"[" + b" " * 50_000_000 + b"]", 1)
Call = Callable[[str], Awaitable[Any]]  # with the base of an address; raises what it makes of the answer


async def webhooks(url: str) -> Response:
    """A status is all that a webhook asks for, whatever the body."""
    sender = Sender(Settings(webhook_networks=LOOPBACK, webhook_timeout_s=LIMIT_S))
    try:
        return await sender.post(url, b"{}", {})
    finally:
        await sender.close()


async def gemini(url: str, on_text: Callable[[str], None] | None = None) -> None:
    model = Gemini("gemini-2.5-flash", "k", url, LIMIT_S)
    try:
        await model.generate(REQUESTS["tools"], on_text)
    finally:
        await model.close()


async def gemini_streamed(url: str) -> None:
    await gemini(url, lambda text: None)


def other(name: str) -> Call:
    async def call(url: str) -> None:
        model = providers.connect(name, Settings(openai_base_url=url, anthropic_base_url=url, model_timeout_s=LIMIT_S))
        try:
            await model.generate(REQUESTS["tools"])
        finally:
            await model.close()

    return call


async def catalogue(url: str) -> None:
    web = Web(Pace(between=0, backoff=0.001, tries=1, timeout=LIMIT_S))
    async with web.outside:
        await web.get(url)


async def keys(url: str) -> None:
    assert not await ProviderKeys(url).renewed(), "keys were read"


USERS: dict[str, Call] = {
    "webhooks": webhooks,
    "gemini": gemini,
    "gemini, streamed": gemini_streamed,
    "openai": other("openai:gpt-5-mini"),
    "anthropic": other("anthropic:claude-haiku-5-5"),
    "catalogue": catalogue,
    "keys": keys,
}


class Stranger:
    """What it sent, in bytes, and which paths were asked for."""

    def __init__(self, url: str) -> None:
        self.url, self.sent, self.paths = url, 0, list[str]()

    async def stream(self, request: web.Request, piece: bytes, pause_s: float, headers: Any = None) -> Any:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        while True:
            await response.write(piece)
            self.sent += len(piece)
            await asyncio.sleep(pause_s)

    async def drip(self, request: web.Request) -> Any:
        return await self.stream(request, b" ", 0.02)

    async def endless(self, request: web.Request) -> Any:
        return await self.stream(request, b" " * 100_000, 0)

    async def endless_error(self, request: web.Request) -> Any:
        response = web.StreamResponse(status=503)
        await response.prepare(request)
        while True:
            await response.write(b" " * 100_000)
            self.sent += 100_000

    async def bomb(self, request: web.Request) -> web.Response:
        return web.Response(body=BOMB, headers={"content-encoding": "gzip", "content-type": "application/json"})

    async def many_headers(self, request: web.Request) -> web.Response:
        return web.Response(headers={f"x-{n}": "x" * 100 for n in range(1000)})

    async def cut_off(self, request: web.Request) -> Any:
        response = web.StreamResponse(headers={"content-length": "1000"})
        await response.prepare(request)
        await response.write(b"[")
        assert request.transport
        request.transport.abort()
        return response

    async def redirect(self, request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"location": f"{self.url}/inner"})

    async def moved(self, request: web.Request) -> web.Response:
        return web.Response(status=308, headers={"location": "/inner"})


HOSTILE = ("drip", "endless", "endless_error", "bomb", "many_headers", "cut_off", "redirect", "moved")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a reply that is too large is so before the time is over."""
    monkeypatch.setattr(provider_keys, "FETCH_S", LIMIT_S)
    for module in ("llm.gemini.MAX_REPLY_BYTES", "llm.providers.MAX_REPLY_BYTES", "catalogue.api.MAX_BYTES"):
        monkeypatch.setattr(f"beerforyou.{module}", 500_000)


@pytest.mark.parametrize("answer", HOSTILE)
@pytest.mark.parametrize("user", USERS)
async def test_an_answer_ends_in_time_is_bounded_and_leads_nowhere(user: str, answer: str) -> None:
    stranger = Stranger("")

    async def handler(request: web.Request) -> web.StreamResponse:
        stranger.paths.append(request.path)
        return await getattr(stranger, answer)(request)

    async with serving(handler) as port, asyncio.timeout(60):
        stranger.url = f"http://127.0.0.1:{port}"
        [outcome] = await asyncio.gather(USERS[user](f"{stranger.url}/asked"), return_exceptions=True)
    assert isinstance(outcome, (BeerForYouError, Response) if user == "webhooks" else BeerForYouError)
    assert len(stranger.paths) == 1 and "inner" not in stranger.paths[0]
    assert stranger.sent < 20_000_000  # what the two ends of a connection buffer, and no more
    assert len(str(outcome)) < 700


@pytest.mark.parametrize("user", USERS)
async def test_no_cookie_is_kept_and_no_proxy_taken_from_the_environment(
    user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    seen = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((request.headers.get("cookie"), request.headers.get("accept-encoding")))
        return web.Response(status=503, headers={"set-cookie": "a=b"})

    async with serving(handler) as port, asyncio.timeout(60):
        for _ in range(2):
            await asyncio.gather(USERS[user](f"http://127.0.0.1:{port}/asked"), return_exceptions=True)
    assert seen == [(None, "identity")] * 2


async def reached(outside: Outside, url: str) -> bool:
    try:
        async with outside, outside.request("GET", url):
            return True
    except OSError as refused:
        assert "is not a public address" in str(refused)
        return False


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "rebinding.example", "0x7f.1"])
async def test_a_stranger_leads_nobody_into_our_network_and_the_operator_may(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`rebinding.example` was a public address when somebody looked."""
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda name, *more, **how: look_up("127.0.0.1" if name == "rebinding.example" else name, *more, **how),
    )

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response()

    async with serving(handler) as port:
        assert not await reached(Outside(5), f"http://{host}:{port}/")
        assert await reached(Outside(5, named_by_operator), f"http://{host}:{port}/")
