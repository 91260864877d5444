"""The HTTP server, and what it takes from strangers: how much, how many, and how long they may keep it waiting.

`serve`, `demo` and the proofs build it here. Whoever waits for us may wait; whoever keeps us waiting has a deadline, and
when there are too many of them the one who has done so the longest goes first.
"""

from __future__ import annotations

import contextlib
import resource
from asyncio import Protocol, TimerHandle, Transport
from functools import partial
from typing import Any, Literal, cast

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from beerforyou.api.app import app
from beerforyou.api.http import problem
from beerforyou.errors import BadUsage, BeerForYouError, HeadTooLarge, TooLarge, TooSlow, Unavailable, UrlTooLong
from beerforyou.house import House
from beerforyou.settings import Settings

PIPELINED = 16  # requests of one connection that may wait for the answer to another; nearly all clients send none
CHUNKS = 4096  # of a body: each costs a microsecond however small it is, and the longest message has 4,000 characters
LINGER_S = 1.0  # how long somebody refused is still read: to hang up on unread bytes is to take the answer back
LINGER_BYTES = 1_000_000  # and how much of him
FILES = 256  # open files that are no connections of clients: pools, logs, the servers behind

Owed = Literal["head", "body", "next", "reading", "leave"]  # what the other side keeps us waiting for


def server(house: House, grace_s: int, **more: Any) -> uvicorn.Server:
    connection = partial(Connection, Lobby(house.settings))
    config = uvicorn.Config(
        app(house),
        http=cast("type[Protocol]", connection),
        ws="none",
        lifespan="off",
        access_log=False,
        proxy_headers=False,  # nobody asks where a request comes from
        timeout_graceful_shutdown=grace_s,
        **more,
    )
    made = uvicorn.Server(config)
    # uvicorn's own handlers would raise the signal once more at the end, and kill us before our servers are stopped.
    made.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    return made


class Lobby:
    """All connections of this server, and which of them keep us waiting, the longest first."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.most = min(settings.http_connections, _files(settings.http_connections + FILES) - FILES)
        self.waiting: dict[Connection, None] = {}
        self.patience: dict[Owed, float] = {
            "head": settings.http_head_s,
            "body": settings.http_body_s,
            "next": settings.http_idle_s,
            "reading": settings.http_read_s,
            "leave": LINGER_S,
        }

    def admits(self, connections: int) -> bool:
        """Makes room for the newest of so many connections; False when none of the others may go."""
        if len(self.waiting) > self.settings.http_waiting or (connections > self.most and len(self.waiting) > 1):
            next(iter(self.waiting)).drop()
            return True
        return connections <= self.most


class Connection(HttpToolsProtocol):
    """One connection. Bytes are counted before the parser sees them: it copies a header anew with each piece."""

    def __init__(self, lobby: Lobby, **given: Any) -> None:
        super().__init__(**given)
        self._lobby = lobby
        self._answering: RequestResponseCycle | None = None
        self._owed: Owed | None = None
        self._deadline: TimerHandle | None = None
        self._read = 0  # bytes of this head, or since it
        self._begun = False  # a head has begun, and is not complete
        self._chunks = 0
        self._deaf = False  # nothing that comes is heard any more
        self._spare = LINGER_BYTES

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._look()
        if not self._lobby.admits(len(self.connections)):
            self._refuse(Unavailable("there are too many connections", "try again in a moment"))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._owe(None)

    def drop(self) -> None:
        """Ends it without a word; what was not read is not kept."""
        self.transport.abort() if self.transport.get_write_buffer_size() else self.transport.close()
        self._owe(None)

    # What comes

    def data_received(self, data: bytes) -> None:
        while data and not self._deaf:
            settings = self._lobby.settings
            most = settings.http_head_bytes + (0 if self._heading else settings.max_body_bytes)  # with its frames
            piece = min(most - self._read, settings.http_head_bytes) + 1  # the next head begins in a piece, uncounted
            self._feed(data[:piece])
            data = data[piece:]
            if not self._deaf and (self._read > most or len(self.headers or ()) > settings.http_headers):
                self._refuse(self._too_large())
        if self._deaf:
            self._spare -= len(data)
            if self._spare < 0:
                self.transport.abort()
        self._look()

    def _feed(self, data: bytes) -> None:
        self._read += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # to nothing that we speak: the request is answered, and is the last one
            self._last()
        except httptools.HttpParserError:
            if not self._deaf:
                self._refuse(BadUsage("this is not an HTTP/1.1 request", "the API is described at /openapi.json"))

    @property
    def _heading(self) -> bool:
        return self._begun or self.cycle is None or not self.cycle.more_body

    def _too_large(self) -> BeerForYouError:
        settings = self._lobby.settings
        if len(self.headers or ()) > settings.http_headers:
            return HeadTooLarge(f"there are more than {settings.http_headers} headers", "send fewer")
        if not self._heading:
            return TooLarge(f"the body is larger than {settings.max_body_bytes} bytes", "send less")
        most = settings.http_head_bytes
        if self._begun and len(self.url) > most // 2:
            return UrlTooLong(f"the address is longer than {most} bytes", "ids are UUIDs; a message goes into the body")
        return HeadTooLarge(f"the headers are larger than {most} bytes", "send fewer and shorter ones")

    # What the parser finds

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun = True

    def on_headers_complete(self) -> None:
        if len(self.headers) > self._lobby.settings.http_headers:
            self._refuse(self._too_large())
        elif len(self.pipeline) >= PIPELINED:
            self._last()
        if self._deaf:
            raise ValueError  # stops the parser; whoever raised it knows why
        super().on_headers_complete()
        self.headers = []  # trailers are no headers
        self._begun, self._read, self._chunks = False, 0, 0

    def on_chunk_header(self) -> None:
        self._chunks += 1
        if self._chunks > CHUNKS:
            self._refuse(TooLarge(f"the body comes in more than {CHUNKS} chunks", "send larger ones, or its length"))
            raise ValueError  # as above

    def on_message_complete(self) -> None:
        self.cycle.more_body = False
        self._read = 0
        super().on_message_complete()

    # What goes

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        assert self._answering
        self._answering.body.clear()  # of what was answered unread
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())
        self._look()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._look()

    def _refuse(self, error: BeerForYouError) -> None:
        """Answers, unless something else is being answered or the answer is out; then no more is read, and it ends."""
        unheard = self._answering
        if unheard and not unheard.response_complete:
            if unheard is not self.cycle or not unheard.more_body or unheard.response_started:
                self._last()
                return
            unheard.disconnected = True
            unheard.message_event.set()
            self._answering = None
        self._deaf = True
        if self._heading or not self._answering:
            self.transport.write(_written(error, self.server_state.default_headers))
        self.transport.write_eof()
        self._look()

    def _last(self) -> None:
        """Nothing more is read; what was asked for is answered, and then it ends."""
        self._deaf = True
        while self.pipeline and self.pipeline[0][0].more_body:
            self.pipeline.popleft()
        last = self.pipeline[0][0] if self.pipeline else self._answering
        if last:
            last.keep_alive = False

    # Who waits

    def _look(self) -> None:
        owed = self._owes()
        if owed != self._owed:
            self._owe(owed)

    def _owes(self) -> Owed | None:
        if self.transport.is_closing():
            return "reading" if self in self.connections else None
        if self.flow.write_paused:
            return "reading"
        if self._answering and not self._answering.response_complete:
            return "body" if self._answering.more_body else None
        if self._deaf:
            return "leave"
        if self._begun or self.cycle is None:
            return "head"
        return "body" if self.cycle.more_body else "next"

    def _owe(self, owed: Owed | None) -> None:
        self._owed = owed
        self._lobby.waiting.pop(self, None)
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
        if owed:
            self._lobby.waiting[self] = None
            self._deadline = self.loop.call_later(self._lobby.patience[owed], self._too_late, owed)

    def _too_late(self, owed: Owed) -> None:
        if owed == "body" or (owed == "head" and self._begun):
            self._refuse(TooSlow(f"the {owed} of the request did not come in time", "send it at once"))
        else:
            self.drop()


def _files(wanted: int) -> int:
    """How many files this process may open, after it has asked for so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(allowed, soft)


def _written(error: BeerForYouError, headers: list[tuple[bytes, bytes]]) -> bytes:
    answer = problem(error, connection="close")
    lines = [b"%s: %s\r\n" % header for header in (*headers, *answer.raw_headers)]
    return b"".join([STATUS_LINE[answer.status_code], *lines, b"\r\n", bytes(answer.body)])
