"""Receives the webhooks of the load generator's clients, and says who waits for which run how it ended."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httptools
import msgspec

RECEIVED = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver:
    def __init__(self) -> None:
        self._outcomes: dict[str, asyncio.Future[str]] = {}
        self.url = ""

    async def listen(self) -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    async def outcome(self, run_id: str) -> str:
        return await self._of(run_id)

    def told(self, message: bytes) -> None:
        run: dict[str, Any] = msgspec.json.decode(message)["data"]
        if not (known := self._of(run["run_id"])).done():  # it may come twice, and before anybody waits
            known.set_result(str(run["outcome"]))

    def _of(self, run_id: str) -> asyncio.Future[str]:
        return self._outcomes.setdefault(run_id, asyncio.get_running_loop().create_future())


class _Connection(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver, self._parser = receiver, httptools.HttpRequestParser(self)
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._receiver.told(b"".join(self._body))
        self._body.clear()
        self._transport.write(RECEIVED)
