"""The HTTP server that `serve`, `demo` and the proofs run: accepts connections, answers requests, and stops with grace."""

from __future__ import annotations

import asyncio
import socket

from beerforyou.api.app import App
from beerforyou.api.connection import Connection
from beerforyou.api.exchange import HungUp, Request
from beerforyou.api.lobby import Lobby
from beerforyou.settings import Settings

BACKLOG = 2048  # connections that the kernel keeps for us


class Server:
    """To be made where its loop runs. Told to stop, it answers what was asked for, for so many seconds."""

    def __init__(self, app: App, settings: Settings, grace_s: float) -> None:
        self.app, self.lobby, self.stops = app, Lobby(settings), False
        self._grace_s = grace_s
        self._tasks: dict[Request, asyncio.Task[None]] = {}
        self._stopped, self._empty = asyncio.Event(), asyncio.Event()

    async def serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(lambda: Connection(self), sock=listener, backlog=BACKLOG)
        try:
            await self._stopped.wait()
        finally:
            listening.close()
            await self._finish()

    def stop(self, at_once: bool = False) -> None:
        self.stops = True
        self._stopped.set()
        if at_once:
            self._empty.set()

    async def _finish(self) -> None:
        self.stops = True
        for connection in list(self.lobby.connections):
            connection.finish()
        self.one_less()
        try:
            async with asyncio.timeout(self._grace_s):
                await self._empty.wait()
        except TimeoutError:
            pass
        finally:
            for connection in list(self.lobby.connections):
                connection.drop()
            self.lobby.close()
            for task in self._tasks.values():
                task.cancel()

    # For the connections

    def begin(self, connection: Connection, request: Request) -> None:
        self._tasks[request] = asyncio.create_task(self._answer(connection, request))

    async def _answer(self, connection: Connection, request: Request) -> None:
        try:
            connection.answer(request, await self.app(request))
        except HungUp:
            pass
        finally:
            del self._tasks[request]
            self.one_less()

    def one_less(self) -> None:
        """A connection has ended, or a request: one whose client has gone is finished, too."""
        if self.stops and not self._tasks and not self.lobby.connections:
            self._empty.set()
