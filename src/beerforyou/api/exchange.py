"""What is asked and what is answered: a handler takes a `Request` and gives back a `Response`, or a `Stream` that is written
as it comes. How they come and go over a connection is in connection.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from beerforyou.api.app import App

T = TypeVar("T")


class HungUp(Exception):
    """Whoever asked has gone, or was refused meanwhile. Nobody hears the answer."""


class Request:
    """`whole`: all of its body is here. `gone`: nobody waits for the answer any more."""

    def __init__(self, app: App, method: str, path: str, query: str, fields: Iterable[tuple[bytes, bytes]]) -> None:
        self.app, self.method, self.path, self._query, self._fields = app, method, path, query, fields
        self.path_params: Mapping[str, str] = {}
        self.version, self.keep_alive = "1.1", True
        self.whole = self.answered = self.gone = False
        self.on_awaited: Callable[[], None] | None = None  # called when the body is waited for
        self._pieces: list[bytes] = []
        self._body: asyncio.Future[None] | None = None
        self._leaves: asyncio.Task[object] | None = None

    @cached_property
    def headers(self) -> dict[str, str]:
        """By their names in small letters. One that comes several times is joined with commas (RFC 9110, 5.3)."""
        found: dict[str, str] = {}
        for name, value in self._fields:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            found[key] = f"{found[key]},{text}" if key in found else text
        return found

    @cached_property
    def query_params(self) -> dict[str, str]:
        return dict(parse_qsl(self._query, keep_blank_values=True))

    async def body(self) -> bytes:
        """Raises HungUp when the rest of it does not come."""
        if not self.whole and not self.gone:
            if self.on_awaited:
                self.on_awaited()
            self._body = asyncio.get_running_loop().create_future()
            await self._body
        if self.gone:
            raise HungUp
        return b"".join(self._pieces)

    async def unless_gone(self, wait: Awaitable[T]) -> T:
        """What `wait` brings, or raises. Raises HungUp when the caller hangs up first: it is cancelled then."""
        self._leaves = task = asyncio.current_task()
        assert task
        if self.gone:
            task.cancel()
        try:
            return await wait
        except asyncio.CancelledError:
            if self.gone and not task.uncancel():
                raise HungUp from None
            raise
        finally:
            self._leaves = None

    # For the connection

    def comes(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def forget(self) -> None:
        """What it said is needed no more."""
        self._fields, self._pieces, self._query = (), [], ""
        for name in ("headers", "query_params"):
            self.__dict__.pop(name, None)

    def complete(self) -> None:
        self.whole = True
        self._wake()

    def leave(self) -> None:
        self.gone = True
        self._wake()
        if self._leaves:
            self._leaves.cancel()

    def _wake(self) -> None:
        if self._body and not self._body.done():
            self._body.set_result(None)


class Response:
    """A whole answer. `media` is the type of its body."""

    __slots__ = ("body", "headers", "media", "status")

    def __init__(
        self, body: bytes = b"", status: int = 200, headers: Mapping[str, str] | None = None, media: str = ""
    ) -> None:
        self.body, self.status, self.headers, self.media = body, status, headers or {}, media


class Listener(Protocol):
    """Whoever a stream is written to."""

    def pushed(self, frames: bytes) -> None: ...
    def ended(self) -> None: ...


class Stream:
    """Server-sent events that are written as they come, from any callback on the loop: no task and no generator waits.

    A handler makes one, gives it to whoever has something to say, and returns it. What is written before goes out with its
    head; what is written after it was closed goes nowhere. `on_close` is called once, when nothing more can be heard: the
    other side has gone, has left too much unread (then from within `write`), the server stops, or `close` was called. While nothing is written,
    the connection says that it is still there, now and then, by one timer for all of them.

        stream = Stream(on_close=lambda: listeners.discard(heard))
        listeners.add(heard := stream.write)
        return stream
    """

    __slots__ = ("_early", "_listener", "closed", "on_close")

    status = 200
    media = "text/event-stream"
    headers: Mapping[str, str] = {"cache-control": "no-store", "x-accel-buffering": "no"}  # the second one is for nginx

    def __init__(self, on_close: Callable[[], object] | None = None) -> None:
        self.on_close = on_close
        self.closed = False
        self._early: list[bytes] = []
        self._listener: Listener | None = None

    def write(self, frames: bytes) -> None:
        """Whole events; never waits. A listener who has left too much unread is hung up on, and comes again."""
        if self.closed:
            return
        self._listener.pushed(frames) if self._listener else self._early.append(frames)

    def close(self) -> None:
        """The answer ends well, with what was written."""
        if not self.closed and self._listener:
            self._listener.ended()
        self.lost()

    # For the connection

    def begun(self, listener: Listener) -> tuple[bytes, bool]:
        """What was written by now, and whether that was all."""
        early, self._early = b"".join(self._early), []
        self._listener = listener
        return early, self.closed

    def lost(self) -> None:
        """Nothing is heard any more."""
        if self.closed:
            return
        self.closed, self._listener, told = True, None, self.on_close
        self.on_close = None
        if told:
            told()


Handler = Callable[[Request], Awaitable[Response | Stream]]
