"""A `Stream`: an answer that whoever has something to say writes, while no task waits for it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from beerforyou.api.connection import STILL_HERE, UNREAD
from beerforyou.api.exchange import Request, Response, Stream
from beerforyou.api.server import Server
from beerforyou.settings import Settings
from tests.api.wire import request, understood
from tests.waiting import wait_until

FOLLOW = request("GET /events")


class Told:
    """The app of a server whose answers are streams: `streams` are those that were asked for, `left` those that ended."""

    def __init__(self, early: bytes = b"") -> None:
        self.early, self.streams, self.left = early, list[Stream](), list[Stream]()

    async def __call__(self, asked: Request) -> Response | Stream:
        if asked.path != "/events":
            return Response(b"well", media="text/plain")
        stream = Stream(lambda: self.left.append(stream))
        stream.write(self.early) if self.early else None
        self.streams.append(stream)
        return stream

    async def followed(self, count: int = 1) -> list[Stream]:
        async def all_there() -> bool:
            return len(self.streams) >= count

        await wait_until(all_there, f"{count} follow")
        return self.streams


class Served(NamedTuple):
    app: Told
    server: Server
    ended: asyncio.Task[None]
    connect: Callable[..., Any]


@asynccontextmanager
async def served(app: Told, **settings: Any) -> AsyncIterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        server = Server(app, Settings(**settings), 2)  # type: ignore[arg-type]
        ended = asyncio.create_task(server.serve(listener))

        async def connect(sent: bytes = FOLLOW, window: int = 0) -> socket.socket:
            sock = stack.enter_context(socket.socket())
            if window:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, listener.getsockname())
            await loop.sock_sendall(sock, sent)
            return sock

        yield Served(app, server, ended, connect)
        server.stop()
        await ended


async def read(sock: socket.socket, until: bytes = b"") -> bytes:
    """Up to those words, or the end."""
    found = b""
    async with asyncio.timeout(20):
        while piece := await asyncio.get_running_loop().sock_recv(sock, 65_536):
            found += piece
            if until and until in found:
                break
    return found


async def test_what_is_written_at_any_time_arrives_and_the_connection_goes_on() -> None:
    async with served(Told(b"one\n\n")) as here:
        sock = await here.connect(FOLLOW + request("GET /", "Connection: close"))
        (stream,) = await here.app.followed()
        assert b"one\n\n" in await read(sock, b"one\n\n")
        stream.write(b"two\n\n")
        stream.write(b"three\n\n")
        asyncio.get_running_loop().call_soon(stream.close)
        rest = await read(sock)
        assert here.app.left == [stream]
        stream.write(b"to nobody")
        stream.close()
    first, second = understood(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + rest).answers
    assert first.body == b"two\n\nthree\n\n" and second.body == b"well"
    assert here.app.left == [stream]


@pytest.mark.parametrize("closes", ["before it is returned", "with what was written"])
async def test_a_stream_may_be_over_before_it_begins(closes: str) -> None:
    class Over(Told):
        async def __call__(self, asked: Request) -> Response | Stream:
            given = await super().__call__(asked)
            if isinstance(given, Stream):
                given.close()
            return given

    async with served(Over(b"" if closes.startswith("before") else b"all\n\n")) as here:
        answer = understood(await read(await here.connect(request("GET /events", "Connection: close")))).answers[0]
    assert answer.headers["content-type"] == "text/event-stream" and answer.body == here.app.early


async def leaves(here: Served, sock: socket.socket) -> None:
    sock.close()


async def closes(here: Served, sock: socket.socket) -> None:
    here.app.streams[0].close()


async def stops(here: Served, sock: socket.socket) -> None:
    here.server.stop()


@pytest.mark.parametrize("end", [leaves, closes, stops])
async def test_whoever_writes_is_told_once_that_nobody_listens(end: Callable[..., Any]) -> None:
    async with served(Told()) as here:
        sock = await here.connect()
        (stream,) = await here.app.followed()
        await read(sock, b"\r\n\r\n")
        assert not stream.closed
        await end(here, sock)

        async def told() -> bool:
            return bool(here.app.left)

        await wait_until(told, "it is told")
        if sock.fileno() >= 0:
            assert (await read(sock, b"0\r\n\r\n")).endswith(b"0\r\n\r\n")  # cut off is nothing
    assert here.app.left == [stream] and stream.closed


async def test_the_silent_are_told_that_we_are_here_and_no_task_waits_for_any() -> None:
    async with served(Told()) as here:
        here.server.lobby.patience["silence"] = 0.3
        before = len(asyncio.all_tasks())
        socks = [await here.connect() for _ in range(20)]
        await here.app.followed(20)
        assert len(asyncio.all_tasks()) <= before
        for sock in socks:
            assert STILL_HERE in await read(sock, STILL_HERE)


@pytest.mark.parametrize("size", [100, 5_000, 100_000])
async def test_who_does_not_read_is_hung_up_on_before_it_costs_memory(size: int) -> None:
    async with served(Told()) as here:
        await here.connect(window=4096)
        quick, sent = await here.connect(), 0
        slow, followed = await here.app.followed(2)
        while not slow.closed and sent < 20_000_000:
            for stream in (slow, followed):
                for _ in range(max(1, 50_000 // size)):
                    stream.write(b"a" * size)
            sent += max(size, 50_000)
            followed.write(b"#")
            await read(quick, b"#")
        assert sent < UNREAD + 8_000_000  # with what the kernel keeps for him
        assert here.app.left == [slow]


async def test_the_head_alone_and_an_old_client_get_no_chunks() -> None:
    async with served(Told(b"one\n\n")) as here:
        head = await read(await here.connect(request("HEAD /events", "Connection: close")))
        assert head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n") and len(here.app.left) == 1
        old = await here.connect(b"GET /events HTTP/1.0\r\n\r\n")
        (await here.app.followed(2))[1].close()
        assert (await read(old)).endswith(b"connection: close\r\n\r\none\n\n")
