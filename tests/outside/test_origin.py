"""What one address may send back, and what becomes of the connection: never a byte of it in the next reply."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Thread

import pytest

from beerforyou.outside import origin
from beerforyou.outside.fetch import Unreadable
from beerforyou.outside.http1 import SLICE, Answer, Broken
from beerforyou.outside.origin import Origin
from bench.model_server.certificate import certify
from tests.outside.raw_server import CLOSE, HOLD, OK, RESET, Reply, raw
from tests.waiting import wait_until

MOST = 1000
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"
ANOTHER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def single(data: bytes) -> Sequence[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


@asynccontextmanager
async def calling(url: str, timeout_s: float = 20.0, idle_s: float = 60.0) -> AsyncIterator[Origin]:
    there = Origin(url, {"X-Key": "k"}, timeout_s, idle_s)
    yield there
    await there.close()


async def said(there: Origin, most: int = MOST) -> tuple[int, bytes]:
    answer = Answer()
    await there.post("/asked", b"{}", answer, most)
    return answer.status, answer.body


GOOD: dict[str, tuple[Reply, int]] = {  # and the connections that two of them take
    "a length": (OK, 1),
    "chunks": (CHUNKED + HELLO, 1),
    "chunks of a byte": (CHUNKED + b"".join(b"1\r\n%c\r\n" % c for c in b"hello") + b"0\r\n\r\n", 1),
    "chunks with extensions and trailers": (CHUNKED + b"05;a=b\r\nhello\r\n0\r\nRetry-After: 9\r\nX: y\r\n\r\n", 1),
    "byte by byte": (single(OK), 1),
    "chunks byte by byte": (single(CHUNKED + HELLO), 1),
    "interim replies": (INTERIM + OK, 1),
    "an interim reply by itself": ((INTERIM, OK), 1),
    "the last word": (OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), 2),
    "until it closes": ((b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo", CLOSE), 2),
    "HTTP/1.0 until it closes": ((b"HTTP/1.0 200 OK\r\nContent-Type: a\r\n\r\nhello", CLOSE), 2),
    "HTTP/1.0 with a length": (OK.replace(b"1.1", b"1.0"), 2),
    "HTTP/1.0 that keeps it": (OK.replace(b"1.1 200 OK", b"1.0 200 OK\r\nConnection: keep-alive"), 1),
    "closed in silence after it": ((OK, CLOSE), 2),
    "reset after it": ((OK, RESET), 2),
}  # fmt: skip


@pytest.mark.parametrize("reply", GOOD)
async def test_a_reply_is_read_in_every_form_that_is_one(reply: str) -> None:
    bytes_, connections = GOOD[reply]
    async with raw(bytes_) as server, calling(server.url) as there:
        for number in range(1, 3):
            assert await said(there) == (200, b"hello")
            assert (len(server.requests), server.connections) == (number, min(number, connections))
            if connections == 2:
                await wait_until(lambda: _is(server.open == 0), "the connection is closed")


BAD: dict[str, Reply] = {
    "no HTTP": b"\x00\xff\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a request": b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello",
    "a length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + HELLO,
    "chunks and a length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 15\r\n\r\n" + HELLO,
    "two lengths": OK.replace(b"\r\n\r\n", b"\r\nContent-Length: 4\r\n\r\n"),
    "a negative length": OK.replace(b": 5", b": -5"),
    "a length past all numbers": OK.replace(b": 5", b": " + b"9" * 30),
    "a chunk longer than it says": CHUNKED + b"3\r\nhello\r\n0\r\n\r\n",
    "a chunk shorter than it says": CHUNKED + b"7\r\nhello\r\n0\r\n\r\n",
    "a chunk size that is none": CHUNKED + b"x\r\nhello\r\n0\r\n\r\n",
    "a negative chunk size": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "a chunk size past all numbers": CHUNKED + b"f" * 17 + b"\r\nhello",
    "a chunk ended by LF": CHUNKED + b"5\nhello\n0\n\n",
    "a NUL in a header": OK.replace(b"\r\n\r\n", b"\r\nX: a\0b\r\n\r\n"),
    "a header before its colon": OK.replace(b"Content-Length:", b"Content-Length :"),
    "a large head": [b"HTTP/1.1 200 OK\r\n", *[b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(40)], HOLD],
    "one large header": [b"HTTP/1.1 200 OK\r\nX: ", *[b"y" * 4000] * 10, HOLD],
    "a status line without end": [b"HTTP/1.1 200 ", *[b"O" * 4000] * 10, HOLD],
    "interim replies without end": [INTERIM * 100] * 10,
    "chunk extensions without end": [CHUNKED, b"5;", *[b"x" * 4000] * 12, HOLD],
    "trailers without end": [CHUNKED + b"5\r\nhello\r\n0\r\n", *[b"X: %s\r\n" % (b"y" * 1000)] * 50, HOLD],
    "a length behind the chunks": CHUNKED + b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n",
    "closed at once": [CLOSE],
    "reset at once": [RESET],
    "closed in its head": [b"HTTP/1.1 200 OK\r\nContent-", CLOSE],
    "closed in its body": [OK[:-1], CLOSE],
    "closed in a chunk": [CHUNKED + b"5\r\nhel", CLOSE],
    "closed before the last chunk": [CHUNKED + b"5\r\nhello\r\n", CLOSE],
    "reset in a body without length": [b"HTTP/1.1 200 OK\r\n\r\nhello", RESET],
    "too much": b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001,
    "too much in chunks": [CHUNKED, *[b"64\r\n" + b"x" * 100 + b"\r\n"] * 11, HOLD],
    "too much until it closes": [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 100] * 11, HOLD],
    "compressed": OK.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("reply", BAD)
async def test_what_is_no_reply_fails_once_and_takes_its_connection_along(reply: str) -> None:
    """Nothing is sent again: the model may have been asked."""
    async with raw(OK, BAD[reply], OK) as server, calling(server.url) as there:
        await said(there)
        with pytest.raises((Broken, Unreadable)):
            async with asyncio.timeout(5):
                await said(there)
        assert len(server.requests) == 2
        assert await said(there) == (200, b"hello")
        assert (len(server.requests), server.connections) == (3, 2)


@pytest.mark.parametrize("behind", [ANOTHER, ANOTHER[:20], b"\0", b"\r\n\r\n" + ANOTHER, b"x" * 3 * SLICE], ids=repr)
@pytest.mark.parametrize("when", ["at once", "later", "after chunks", "until then"])
async def test_what_comes_behind_a_reply_is_not_the_next_one(behind: bytes, when: str) -> None:
    first: dict[str, Reply] = {
        "at once": OK + behind,
        "later": (OK, behind),
        "after chunks": CHUNKED + HELLO + behind,
        "until then": (CHUNKED + HELLO[:-1], HELLO[-1:] + behind),
    }
    async with raw(first[when], OK) as server, calling(server.url) as there:
        assert await said(there) == (200, b"hello")
        if when == "later":
            await wait_until(lambda: _is(server.open == 0), "what came unasked has ended the connection")
        assert await said(there) == (200, b"hello")
        assert (len(server.requests), server.connections) == (2, 2)


async def _is(fact: bool) -> bool:
    return fact


@pytest.mark.parametrize("unasked", [b"", ANOTHER, b"\0"], ids=["closed", "a reply", "a byte"])
async def test_a_connection_is_looked_at_before_it_is_used_again(unasked: bytes) -> None:
    """What has come meanwhile is seen though the event loop had no turn to see it. A request would be lost, or be paid twice."""
    listener, asked = socket.create_server(("127.0.0.1", 0)), list[bytes]()
    wires: list[socket.socket] = []

    def serve() -> None:
        for _ in range(2):
            wires.append(listener.accept()[0])
            asked.append(wires[-1].recv(1000))
            wires[-1].sendall(OK)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    async with calling(f"http://127.0.0.1:{listener.getsockname()[1]}") as there:
        assert await said(there) == (200, b"hello")
        if unasked:
            wires[0].sendall(unasked)
        else:
            wires[0].close()
        assert await said(there) == (200, b"hello")
    thread.join()
    assert len(asked) == len(wires) == 2
    for wire in (*wires, listener):
        wire.close()


@pytest.mark.parametrize("begun", [[], [b"HTTP/1.1 200 OK\r\nX"], [OK[:-2]], [CHUNKED + b"5\r\nhel"]], ids=repr)
@pytest.mark.parametrize("how", ["cancelled", "late"])
async def test_a_call_that_ends_early_closes_its_connection(begun: list[bytes], how: str) -> None:
    async with raw([*begun, HOLD]) as server, calling(server.url, 0.3 if how == "late" else 20) as there:
        call = asyncio.create_task(said(there))
        await wait_until(lambda: _is(bool(server.requests)), "the request is there")
        if how == "cancelled":
            call.cancel()
        with pytest.raises(asyncio.CancelledError if how == "cancelled" else TimeoutError):
            await call
        await wait_until(lambda: _is(server.open == 0), "the connection is closed")


async def test_bytes_that_keep_coming_do_not_make_a_call_longer() -> None:
    async with raw([CHUNKED, *[b"1\r\nx\r\n"] * 2000]) as server, calling(server.url, 0.3) as there:
        with pytest.raises(TimeoutError):
            await said(there, 10_000)


async def test_a_connection_that_nobody_uses_is_closed() -> None:
    async with raw(OK) as server, calling(server.url, idle_s=0.05) as there:
        await asyncio.gather(*(said(there) for _ in range(3)))
        assert server.connections == 3
        await wait_until(lambda: _is(server.open == 0), "all three are closed")
        assert await said(there) == (200, b"hello")


async def test_so_many_connections_are_kept_and_any_number_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin, "MOST_KEPT", 3)
    async with raw(OK) as server:
        async with calling(server.url) as there:
            await asyncio.gather(*(said(there) for _ in range(200)))
            assert server.connections == 200
            await wait_until(lambda: _is(server.open == 3), "three are kept")
        await wait_until(lambda: _is(server.open == 0), "none is left")


async def test_over_tls_who_answers_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = certify(tmp_path / "certificate.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    async with raw(OK, OK, OK + ANOTHER, OK, (OK, CLOSE), OK, tls=context) as server:
        async with calling(server.url) as there:
            with pytest.raises(ssl.SSLCertVerificationError):
                await said(there)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        async with calling(server.url.replace("127.0.0.1", "localhost")) as there:
            with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
                await said(there)
        assert not server.requests
        before = server.connections
        async with calling(server.url) as there:
            for number in range(6):
                assert await said(there) == (200, b"hello")
                if number in (2, 4):
                    await wait_until(lambda: _is(server.open == 0), "the connection is closed")
        assert (len(server.requests), server.connections - before) == (6, 3)


class Counting(Answer):
    """How much it hears in one turn of the event loop, at most."""

    def __init__(self, turn: list[int]) -> None:
        super().__init__()
        self._turn, self._heard, self.most, self.size = turn, (0, 0), 0, 0

    def hear(self, piece: bytes) -> bool:
        turn, heard = self._heard
        self._heard = self._turn[0], len(piece) + (heard if turn == self._turn[0] else 0)
        self.most, self.size = max(self.most, self._heard[1]), self.size + len(piece)
        return False


@pytest.mark.parametrize("length", [b"Content-Length: 2000000\r\n", b""], ids=["a length", "until it closes"])
async def test_others_get_their_turn_while_much_is_read(length: bytes) -> None:
    loop, turn, size = asyncio.get_running_loop(), [0], 2_000_000

    def tick() -> None:
        turn[0] += 1
        ticking[0] = loop.call_soon(tick)

    ticking = [loop.call_soon(tick)]
    counting = Counting(turn)
    async with (
        raw([b"HTTP/1.1 200 OK\r\n%s\r\n" % length + b"x" * size, CLOSE]) as server,
        calling(server.url) as there,
    ):
        await there.post("/", b"", counting, size)
    ticking[0].cancel()
    assert counting.size == size and counting.most <= 2 * SLICE


async def test_a_call_on_a_kept_connection_makes_no_task() -> None:
    loop, made = asyncio.get_running_loop(), []

    def factory(loop: asyncio.AbstractEventLoop, coro: object, **more: object) -> asyncio.Task[object]:
        made.append(coro)
        return asyncio.Task(coro, loop=loop, **more)  # type: ignore[arg-type]

    async with raw(CHUNKED + HELLO) as server, calling(server.url) as there:
        await said(there)
        loop.set_task_factory(factory)
        try:
            for _ in range(10):
                await said(there)
        finally:
            loop.set_task_factory(None)
    assert not made


here: ContextVar[str] = ContextVar("here")


async def test_what_hears_runs_where_it_was_asked_from_and_what_it_raises_ends_the_call() -> None:
    class Said(Exception):
        pass

    class Telling(Answer):
        def hear(self, piece: bytes) -> bool:
            raise Said(here.get())

    async def ask(where: str) -> str:
        here.set(where)
        with pytest.raises(Said) as caught:
            await there.post("/", b"", Telling(), MOST)
        return str(caught.value)

    async with raw(OK) as server, calling(server.url) as there:
        await said(there)  # the connection is made elsewhere
        assert await asyncio.gather(ask("a"), ask("b")) == ["a", "b"]
        await wait_until(lambda: _is(server.open == 0), "their connections are closed")


@pytest.mark.parametrize(
    "enough", [b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhello", CHUNKED + b"5\r\nhello\r\n"]
)
async def test_who_has_enough_waits_for_no_more(enough: bytes) -> None:
    class Enough(Answer):
        def hear(self, piece: bytes) -> bool:
            return True

    async with raw([enough, HOLD]) as server, calling(server.url) as there:
        await there.post("/", b"", Enough(), MOST)
        await wait_until(lambda: _is(server.open == 0), "the connection is closed")


async def test_what_is_sent() -> None:
    async with raw(OK) as server, calling(server.url.replace("//", "//us%40er:p@") + "/base/") as there:
        await said(there)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ") for line in lines)
    assert (first, body) == ("POST /base/asked HTTP/1.1", b"{}")
    assert headers["Host"] == server.url.removeprefix("http://") and headers["X-Key"] == "k"
    assert (headers["Content-Length"], headers["Accept-Encoding"]) == ("2", "identity")
    assert headers["Authorization"] == "Basic dXNAZXI6cA=="


@pytest.mark.parametrize(
    "url",
    ["", "host", "ftp://host", "https://", "http://host:x", "http://host:99999", "http://h/a b", "http://h/?a=b",
     "http://h/#a", f"http://{'a' * 64}.example", "http://h/\u00e9"],
)  # fmt: skip
def test_what_is_no_address_is_told_at_once(url: str) -> None:
    with pytest.raises(ValueError):
        Origin(url, {}, 1, 1)


def test_a_header_that_would_be_two_is_refused() -> None:
    with pytest.raises(ValueError):
        Origin("http://host", {"X": "a\r\nY: b"}, 1, 1)


async def test_nobody_there_is_an_error_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    async with calling("http://127.0.0.1:1") as there:
        with pytest.raises(ConnectionRefusedError):
            await said(there)
    look_up = socket.getaddrinfo
    names: list[str] = []

    def found(name: str, *more: object, **how: object) -> object:
        names.append(name)
        return look_up(name.removesuffix(".example"), *more, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    async with raw(OK) as server, calling(server.url.replace("127.0.0.1", "127.0.0.1.example")) as there:
        await asyncio.gather(*(said(there) for _ in range(5)))
    assert names == ["127.0.0.1.example"], "looked up once for all"
