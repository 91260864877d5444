"""HTTP for the load generator, with as little CPU as possible: connections that are kept, one request at a time on each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

import httptools

FRESH_S = 3.0  # a server that closes what is idle for longer (5 s is usual) must not meet our next request


class Line(asyncio.Protocol):
    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[int] | None = None
        self._take: Callable[[bytes], object] = bytes
        self.streamed = self.closed = False
        self.used = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    async def ask(self, request: bytes, take: Callable[[bytes], object]) -> int:
        """The status, once all of the body was handed to `take`. Raises ConnectionError when it breaks off."""
        if self.closed:
            raise ConnectionResetError
        self._take, self.streamed = take, False
        self._answer = self._loop.create_future()
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:  # an answer may still come, and is nobody's
            self.close()
            raise

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(name) == 12 and name.lower() == b"content-type":
            self.streamed = value.startswith(b"text/event-stream")

    def on_body(self, body: bytes) -> None:
        self._take(body)

    def on_message_complete(self) -> None:
        self.used = self._loop.time()
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer and not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())

    def close(self) -> None:
        self.closed = True
        self._transport.close()


class Lines:
    """`most`: connections at a time; who wants another waits."""

    def __init__(self, url: str, most: int) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._free: deque[Line] = deque()
        self._turns = asyncio.Semaphore(most)

    async def take(self) -> Line:
        """Raises OSError when the server takes nobody in."""
        await self._turns.acquire()
        try:
            oldest = asyncio.get_running_loop().time() - FRESH_S
            while self._free:
                line = self._free.pop()
                if not line.closed and line.used > oldest:
                    return line
                line.close()
            return (await asyncio.get_running_loop().create_connection(Line, self._host, self._port))[1]
        except BaseException:
            self._turns.release()
            raise

    def give_back(self, line: Line) -> None:
        if not line.closed:
            self._free.append(line)
        self._turns.release()
