"""One HTTP/1.1 connection: bytes to requests, answers to bytes, and what strangers may send.

Bytes are counted before the parser sees them: it copies a header anew with each piece. A request costs one task; a follower
of a `Stream` costs none, since what is published is written to the transport where it comes.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import Protocol, Transport
from collections import deque
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

import httptools

from beerforyou.api.exchange import Request, Response, Stream
from beerforyou.api.http import problem
from beerforyou.api.lobby import Owed
from beerforyou.errors import BadUsage, BeerForYouError, HeadTooLarge, TooLarge, TooSlow, Unavailable, UrlTooLong

if TYPE_CHECKING:
    from beerforyou.api.server import Server

PIPELINED = 16  # requests of one connection that may wait for the answer to another; nearly all clients send none
CHUNKS = 4096  # of a body: each costs a microsecond however small it is, and the longest message has 4,000 characters
LINGER_BYTES = 1_000_000  # of somebody refused who is still read
UNREAD = 262_144  # bytes that a follower may leave unread: all events of twenty runs
STILL_HERE = b": still here\n\n"
STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


class Connection(Protocol):
    __slots__ = (
        "_answering", "_asked", "_begun", "_chunked", "_chunks", "_coming", "_deaf", "_fields", "_lobby",
        "_owed", "_parser", "_paused", "_read", "_server", "_spare", "_stream", "_target", "_transport",
    )  # fmt: skip

    def __init__(self, server: Server) -> None:
        self._server, self._lobby = server, server.lobby
        self._parser = httptools.HttpRequestParser(self)
        self._target, self._fields = b"", list[tuple[bytes, bytes]]()  # of the head that comes
        self._coming: Request | None = None  # the newest one; its body may still come
        self._answering: Request | None = None
        self._asked: deque[Request] | None = None  # meanwhile; nearly always none
        self._stream: Stream | None = None
        self._chunked = True  # HTTP/1.0 knows no chunks
        self._owed: Owed | None = None
        self._read = 0  # bytes of this head, or since it
        self._begun = False  # a head has begun, and is not complete
        self._chunks = 0
        self._deaf = False  # nothing that comes is heard any more
        self._spare = LINGER_BYTES
        self._paused = False  # much of what was written is unread

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(Transport, transport)
        self._lobby.connections.add(self)
        self._look()
        if not self._lobby.make_room():
            self._refuse(Unavailable("there are too many connections", "try again in a moment"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._lobby.connections.discard(self)
        self._leave()
        self._coming = None
        del self._parser  # they hold this connection, as it holds them
        self._server.one_less()

    def drop(self) -> None:
        """Ends it without a word; what was not read is not kept."""
        self._transport.abort() if self._transport.get_write_buffer_size() else self._transport.close()
        self._leave()

    def _leave(self) -> None:
        self._owe(None)
        if self._answering:
            self._answering.leave()
            self._answering = None
        if self._stream:
            self._stream.lost()
            self._stream = None
        self._asked = None

    def finish(self) -> None:
        """The server stops: what was asked for is answered, and then it ends."""
        if self._stream:
            self._stream.close()
        elif not self._answering:
            self._transport.close()

    # What comes

    def data_received(self, data: bytes) -> None:
        while data and not self._deaf:
            settings = self._lobby.settings
            most = settings.http_head_bytes + (0 if self._heading else settings.max_body_bytes)  # with its frames
            piece = min(most - self._read, settings.http_head_bytes) + 1  # the next head begins in a piece, uncounted
            if piece >= len(data):
                self._feed(data)
                data = b""
            else:
                self._feed(data[:piece])
                data = data[piece:]
            if not self._deaf and (self._read > most or len(self._fields) > settings.http_headers):
                self._refuse(self._too_large())
        if self._deaf:
            self._spare -= len(data)
            if self._spare < 0:
                self._transport.abort()
        self._look()

    def _feed(self, data: bytes) -> None:
        self._read += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # to nothing that we speak: the request is answered, and is the last one
            self._last()
        except httptools.HttpParserError:
            if not self._deaf:
                self._refuse(BadUsage("this is not an HTTP/1.1 request", "the API is described at /openapi.json"))

    @property
    def _heading(self) -> bool:
        return self._begun or self._coming is None or self._coming.whole

    def _too_large(self) -> BeerForYouError:
        settings = self._lobby.settings
        if len(self._fields) > settings.http_headers:
            return HeadTooLarge(f"there are more than {settings.http_headers} headers", "send fewer")
        if not self._heading:
            return TooLarge(f"the body is larger than {settings.max_body_bytes} bytes", "send less")
        most = settings.http_head_bytes
        if self._begun and len(self._target) > most // 2:
            return UrlTooLong(f"the address is longer than {most} bytes", "ids are UUIDs; a message goes into the body")
        return HeadTooLarge(f"the headers are larger than {most} bytes", "send fewer and shorter ones")

    # What the parser finds

    def on_message_begin(self) -> None:
        self._target, self._fields, self._begun = b"", [], True

    def on_url(self, piece: bytes) -> None:
        self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        if len(self._fields) > self._lobby.settings.http_headers:
            self._refuse(self._too_large())
        elif self._asked and len(self._asked) >= PIPELINED:
            self._last()
        if self._deaf:
            raise ValueError  # stops the parser; whoever raised it knows why
        self._coming = request = self._request()
        self._fields = []  # trailers are no headers
        self._begun, self._read, self._chunks = False, 0, 0
        if self._answering:
            self._asked = self._asked or deque()
            self._asked.append(request)
            self._transport.pause_reading()
        else:
            self._answer(request)

    def _request(self) -> Request:
        """Raises ValueError, which stops the parser."""
        parser, target = self._parser, self._target
        if not target.startswith(b"/"):  # http://host/path; and what is none has none
            found = httptools.parse_url(target)
            target = (found.path or b"") + (b"?" + found.query if found.query else b"")
        path, _, query = target.decode("ascii").partition("?")
        if "%" in path:
            path = unquote(path)
        request = Request(self._server.app, parser.get_method().decode("ascii"), path, query, self._fields)
        request.version = parser.get_http_version()
        request.keep_alive = request.version == "1.1" and parser.should_keep_alive()
        request.on_awaited = self._go_on
        return request

    def _go_on(self) -> None:
        coming = self._coming
        if coming is self._answering and coming and coming.headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_chunk_header(self) -> None:
        self._chunks += 1
        if self._chunks > CHUNKS:
            self._refuse(TooLarge(f"the body comes in more than {CHUNKS} chunks", "send larger ones, or its length"))
            raise ValueError  # as above

    def on_body(self, piece: bytes) -> None:
        if self._coming and not self._coming.answered:  # of what was answered unread nothing is kept
            self._coming.comes(piece)

    def on_message_complete(self) -> None:
        if self._coming:
            self._coming.complete()
        self._read = 0

    # What goes

    def _answer(self, request: Request) -> None:
        self._answering = request
        self._server.begin(self, request)

    def answer(self, request: Request, given: Response | Stream) -> None:
        """Unless nobody waits for it any more."""
        if request is not self._answering:
            if isinstance(given, Stream):
                given.lost()
        elif isinstance(given, Response):
            head = _head(given, self._keeps(request), len(given.body))
            self._transport.write(head if request.method == "HEAD" else head + given.body)
            self._complete()
        elif request.method == "HEAD":
            given.lost()
            self._transport.write(_head(given, self._keeps(request)))
            self._complete()
        else:
            self._tell(request, given)

    def _tell(self, request: Request, stream: Stream) -> None:
        request.forget()  # it may be followed for long, by many
        self._stream, self._chunked = stream, request.version == "1.1"
        self._transport.write(_head(stream, self._keeps(request), chunked=self._chunked))
        frames, over = stream.begun(self)
        if frames:
            self.pushed(frames)
        if over:
            self.ended()
        self._look()

    def pushed(self, frames: bytes) -> None:
        if self._paused and self._transport.get_write_buffer_size() > UNREAD:
            self._transport.abort()
            self._leave()
            return
        self._transport.write(b"%x\r\n%b\r\n" % (len(frames), frames) if self._chunked else frames)
        if self._owed == "silence":
            self._lobby.owes(self, "silence", "silence")

    def ended(self) -> None:
        self._stream = None
        if self._chunked:
            self._transport.write(b"0\r\n\r\n")
        self._complete()

    def _keeps(self, request: Request) -> bool:
        return request.keep_alive and not (self._server.stops and not self._asked)

    def _complete(self) -> None:
        request, self._answering = self._answering, None
        assert request
        request.answered = True
        if not self._keeps(request):
            self._close(request)
        elif self._asked:
            self._answer(self._asked.popleft())
            if not self._asked:
                self._transport.resume_reading()
        self._look()

    def _close(self, request: Request) -> None:
        """Whoever still sends is read for a moment."""
        self._deaf = self._deaf or not request.whole
        self._transport.write_eof() if self._deaf else self._transport.close()

    def pause_writing(self) -> None:
        self._paused = True
        self._look()

    def resume_writing(self) -> None:
        self._paused = False
        self._look()

    def _refuse(self, error: BeerForYouError) -> None:
        """Answers, unless something else is being answered or the answer is out; then no more is read, and it ends."""
        if unheard := self._answering:
            if unheard is not self._coming or unheard.whole or self._stream:
                self._last()
                return
            self._answering = None
            unheard.leave()
        self._deaf = True
        if self._heading or not (self._coming and self._coming.answered):
            answer = problem(error)
            self._transport.write(_head(answer, False, len(answer.body)) + answer.body)
        self._transport.write_eof()
        self._look()

    def _last(self) -> None:
        """Nothing more is read; what was asked for is answered, and then it ends."""
        self._deaf = True
        while self._asked and not self._asked[-1].whole:
            self._asked.pop()
        last = self._asked[-1] if self._asked else self._answering
        if last:
            last.keep_alive = False

    # Who waits

    def late(self, owed: Owed) -> None:
        if owed == "silence":
            self.pushed(STILL_HERE)
        elif owed == "body" or (owed == "head" and self._begun):
            self._refuse(TooSlow(f"the {owed} of the request did not come in time", "send it at once"))
        else:
            self.drop()

    def _look(self) -> None:
        owed = self._owes()
        if owed != self._owed:
            self._owe(owed)

    def _owe(self, owed: Owed | None) -> None:
        self._lobby.owes(self, self._owed, owed)
        self._owed = owed

    def _owes(self) -> Owed | None:
        if self._transport.is_closing():
            return "reading" if self in self._lobby.connections else None
        if self._paused:
            return "reading"
        if self._stream:
            return "silence"
        if self._answering:
            return None if self._answering.whole else "body"
        if self._deaf:
            return "leave"
        if self._begun or self._coming is None:
            return "head"
        return "next" if self._coming.whole else "body"


def _head(given: Response | Stream, keeps: bool, length: int | None = None, chunked: bool = False) -> bytes:
    lines = [STATUS[given.status], f"date: {_date(int(time.time()))}\r\n"]
    if given.media:
        lines.append(f"content-type: {given.media}\r\n")
    if length is not None and given.status not in (204, 304):
        lines.append(f"content-length: {length}\r\n")
    if chunked:
        lines.append("transfer-encoding: chunked\r\n")
    lines += [f"{name}: {value}\r\n" for name, value in given.headers.items()]
    lines.append("\r\n" if keeps else "connection: close\r\n\r\n")
    return "".join(lines).encode("latin-1")


@lru_cache(1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
