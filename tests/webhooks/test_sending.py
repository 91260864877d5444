"""Messages to receivers who are strangers: where they may be, and what they may answer."""

import asyncio
import socket
import time
from typing import Any

import pytest
from aiohttp import web

from beerforyou.errors import Unavailable
from beerforyou.outside.public import reachable
from beerforyou.settings import Settings
from beerforyou.webhooks.sending import Response, Sender
from tests.outside.strangers import serving

LOOPBACK = "127.0.0.0/8,::1/128"


async def posted(url: str, opened: str = "", timeout_s: float = 5.0) -> Response:
    sender = Sender(Settings(webhook_networks=opened, webhook_timeout_s=timeout_s))
    try:
        return await sender.post(url, b"{}", {})
    finally:
        await sender.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "localhost.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]",
        "0.0.0.0", "[::]", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "127.0.0.1.",
    ],
)  # fmt: skip
async def test_no_spelling_leads_to_our_own_machine(host: str) -> None:
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.host)
        return web.Response()

    async with serving(handler) as port:
        with pytest.raises(Unavailable):
            await posted(f"http://{host}:{port}/")
        assert asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_an_opened_network_is_reached(host: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=201, text=request.headers["user-agent"])

    async with serving(handler) as port:
        answer = await posted(f"http://{host}:{port}/", LOOPBACK)
    assert (answer.status, answer.excerpt.split("/")[0]) == (201, "BeerForYou")


async def test_a_name_that_changes_its_answer_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look-up says a public address, the second, which leads to the socket, ours."""
    answers = iter(["93.184.215.14", "127.0.0.1"])

    def look_up(host: str, port: int, *more: object, **options: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert reachable(socket.getaddrinfo("rebinding.example", 80)[0][4][0])
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1 is not a public address"):
        await posted("http://rebinding.example/")


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    paths = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=307, headers={"location": "/inner"})

    async with serving(handler) as port:
        assert (await posted(f"http://127.0.0.1:{port}/", LOOPBACK)).status == 307
    assert paths == ["/"]


async def test_no_cookie_is_kept_and_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    cookies = []

    async def handler(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("cookie"))
        return web.Response(headers={"set-cookie": "a=b"})

    async with serving(handler) as port:
        sender = Sender(Settings(webhook_networks=LOOPBACK))
        for _ in range(2):
            await sender.post(f"http://localhost:{port}/", b"", {})
        await sender.close()
    assert cookies == [None, None]


async def test_a_slow_drip_ends_in_time() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=503)
        await response.prepare(request)
        while True:
            await response.write(b".")
            await asyncio.sleep(0.05)

    async with serving(handler) as port:
        begun = time.monotonic()
        answer = await posted(f"http://127.0.0.1:{port}/", LOOPBACK, timeout_s=0.5)
    assert time.monotonic() - begun < 2
    assert answer.status == 503  # its head came


async def test_silence_ends_in_time() -> None:
    async def handler(request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with serving(handler) as port:
        with pytest.raises(Unavailable, match=r"no answer within 0\.3 s"):
            await posted(f"http://127.0.0.1:{port}/", LOOPBACK, timeout_s=0.3)


async def test_of_a_flood_only_the_beginning_is_read() -> None:
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"content-encoding": "gzip"})
        await response.prepare(request)
        while True:
            await response.write(b"\x1b[31mbeer\0" * 1000)
            sent += 9000

    async with serving(handler) as port:
        answer = await posted(f"http://127.0.0.1:{port}/", LOOPBACK)
    assert answer.status == 200
    assert len(answer.excerpt) == 200 and answer.excerpt.isprintable()
    assert sent < 16_000_000  # what the two ends of a connection buffer, and no more


async def test_what_is_no_http_is_no_answer() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n" * 100)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    with pytest.raises(Unavailable) as failed:
        await posted(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", LOOPBACK)
    assert failed.value.message.isprintable() and len(failed.value.message) <= 200
    server.close()
