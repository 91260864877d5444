"""HTTP/1.1 on one connection: a request leaves, and the bytes of its reply are handed over as they come.

Few objects a call: a future, a timer and a parser; no task, no queue, no generator. `origin.py` keeps the connections.
"""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from socket import MSG_PEEK, socket
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from beerforyou.outside.fetch import Unreadable

MOST_HEAD = 32_768  # bytes before the body, with all interim replies; Google's have one thousand
SLICE = 8192  # bytes read at a time, after which others get their turn: some hundreds of the smallest events


class Broken(ConnectionError):
    """The connection, or what came on it, is no use any more. Its words are ours."""


class Answer:
    """What comes back. `begins` and `hear`, with each piece of the body, are called at once, in the event loop's callback and
    the context of who asked, so they must be quick. `hear` says whether that is enough; what it raises ends the call.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}  # by their names in lower case
        self._pieces: list[bytes] = []

    def begins(self) -> None:
        """Status and headers are there."""

    def hear(self, piece: bytes) -> bool:
        self._pieces.append(piece)
        return False

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)


class Connection(asyncio.Protocol):
    """One request at a time. What comes unasked ends it: that may not be taken for the reply to the next."""

    kept_until = 0.0

    def __init__(self, wire: socket) -> None:
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._asked: _Exchange | None = None
        self._unread = memoryview(b"")
        self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so

    def exchange(self, request: bytes, answer: Answer, most: int, deadline: float) -> asyncio.Future[bool]:
        """Whether the connection may be kept after it."""
        whole = self._loop.create_future()
        self._asked = _Exchange(answer, most, whole, self._loop.call_at(deadline, self._overdue))
        if self._transport.is_closing():
            self._end(Broken("it was closed"))
        else:
            self._transport.write(request)
        return whole

    def usable(self) -> bool:
        return not (self._unread or self._transport.is_closing() or self._transport.get_write_buffer_size())

    def quiet(self) -> bool:
        """Nothing has come since, over TLS neither; not even an end that the event loop has not seen yet."""
        try:
            self._wire.recv(1, MSG_PEEK)
        except BlockingIOError:
            return not self._transport.is_closing()
        except OSError:
            pass
        return False

    def abort(self) -> None:
        self._end()
        self._unread = self._unread[:0]
        self._transport.abort()

    def data_received(self, data: bytes | memoryview) -> None:
        if self._asked is None:
            return self.abort()
        if len(data) > SLICE:
            self._transport.pause_reading()
            self._unread = memoryview(data)
            return self._read_on()
        try:
            over = self._asked.read(data)
        except Exception as error:  # of whoever hears it, too
            return self._end(error)
        if over:
            self._end()

    def _read_on(self) -> None:
        if self._unread:
            piece, self._unread = self._unread[:SLICE], self._unread[SLICE:]
            self.data_received(piece)
        if self._unread:
            self._loop.call_soon(self._read_on)
        elif self._lost:
            self._closed()
        elif not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if exc:
            self._end(Broken(f"the connection broke ({type(exc).__name__})"))
        elif not self._unread:
            self._closed()

    def _closed(self) -> None:
        if self._asked:
            self._end(None if self._asked.ends_with_connection else Broken("it closed before the reply was whole"))

    def _overdue(self) -> None:
        self._end(TimeoutError())

    def _end(self, error: Exception | None = None) -> None:
        """Of what was asked. Nothing of it stays with the connection."""
        if asked := self._asked:
            self._asked = None
            asked.end(error)
            if error:
                self.abort()


class _Exchange:
    """The reply to one request, as the parser reads it."""

    def __init__(self, answer: Answer, most: int, whole: asyncio.Future[bool], timer: asyncio.TimerHandle) -> None:
        self._answer, self._hear, self._context = answer, answer.hear, copy_context()
        self._most, self._left, self._around = most, most, MOST_HEAD
        self._whole, self._timer = whole, timer
        self._pieces: list[bytes] = []
        self._begun = self._done = self._keeps = False
        self._parser: HttpResponseParser | None = HttpResponseParser(self)

    def read(self, data: bytes | memoryview) -> bool:
        """Whether it is over. Raises Broken, Unreadable, and what the answer does."""
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            if not self._done:
                raise Broken("what came is no HTTP") from None
            self._keeps = False  # it was no reply that came behind the reply
        self._around -= len(data)
        if self._around < 0:
            raise Broken("more came around the reply than any needs")
        if not self._pieces:
            return self._done
        piece, self._pieces = b"".join(self._pieces), []
        self._left -= len(piece)
        if self._left < 0:
            raise Unreadable(self._too_much())
        return self._context.run(self._hear, piece) or self._done

    def _too_much(self) -> str:
        coding = self._coding()
        known = coding == b"identity"
        return f"larger than {self._most} bytes" if known else f"compressed ({coding[:20]!r}), which it must not be"

    def _coding(self) -> bytes:
        return self._answer.headers.get(b"content-encoding", b"identity").lower()

    @property
    def ends_with_connection(self) -> bool:
        """Nobody said how long it is."""
        return self._begun and not self._answer.headers.keys() & {b"content-length", b"transfer-encoding"}

    def end(self, error: Exception | None) -> None:
        self._timer.cancel()
        self._parser = None  # which holds this
        if self._whole.done():  # cancelled
            return
        if error:
            self._whole.set_exception(error)
        else:
            self._whole.set_result(self._keeps)

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._done:
            raise Broken("a second reply")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._begun:  # else it is a trailer
            self._answer.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 200:  # the reply is still to come
            return self._answer.headers.clear()
        self._begun = True
        self._around += 2 * self._most  # a body's frames, of which any needs less than that
        self._answer.status = status
        self._context.run(self._answer.begins)
        if self._coding() != b"identity":
            self._left = 0

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        if self._begun:
            assert self._parser is not None
            self._done, self._keeps = True, self._parser.should_keep_alive()
