"""Where strangers may send us: judged by the address that a socket would connect to."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from beerforyou.errors import SetupError, Unavailable
from beerforyou.outside.public import Answer, Outside, networks, reachable
from beerforyou.settings import Settings

LOOPBACK = "127.0.0.0/8,::1/128"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    """A server on loopback, IPv4 and IPv6; its port."""
    runner = web.ServerRunner(web.Server(handler, handler_cancellation=True))
    await runner.setup()
    listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    await web.SockSite(runner, listener).start()
    try:
        yield listener.getsockname()[1]
    finally:
        await runner.cleanup()


async def posted(url: str, opened: str = "", timeout_s: float = 5.0) -> Answer:
    outside = Outside(Settings(webhook_networks=opened, webhook_timeout_s=timeout_s))
    try:
        return await outside.post(url, b"{}", {})
    finally:
        await outside.close()


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1",
        "192.0.0.192", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "168.63.129.16",
        "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0",
        "febf::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1", "100::1", "2001::1", "2001:db8::1", "3fff::1",
        "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "5f00::1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_not_reachable(address: str) -> None:
    assert not reachable(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_what_is_public_is_reachable(address: str) -> None:
    assert reachable(address)


def test_the_operator_may_open_networks() -> None:
    opened = networks(Settings(webhook_networks="10.0.0.0/8, fd00::/8"))
    assert all(reachable(address, opened) for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "8.8.8.8"))
    assert not any(reachable(address, opened) for address in ("127.0.0.1", "192.168.0.1", "::1"))


@pytest.mark.parametrize("nonsense", ["10.0.0.0/33", "10.0.0.1/8", "home", "10.0.0.0/8;127.0.0.0/8"])
def test_networks_that_are_none_are_refused_by_name(nonsense: str) -> None:
    with pytest.raises(SetupError, match="BEERFORYOU_WEBHOOK_NETWORKS"):
        networks(Settings(webhook_networks=nonsense))


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
        outside = Outside(Settings(webhook_networks=LOOPBACK))
        for _ in range(2):
            await outside.post(f"http://localhost:{port}/", b"", {})
        await outside.close()
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
