"""One connection to Valkey (or Redis) that hears, for a whole process, what is published on many channels.

Publishing promises nothing: what is said while a connection is down is lost. So whoever listens is told when that may
have happened, and looks where the truth is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from beerforyou.backends.valkey import ANSWER_S, Address, Wire, connected, connected_again, unheeded
from beerforyou.errors import BeerForYouError

LEAVE_S = 0.2  # channels that are left in this time are left together
Heard = Callable[[bytes | None], None]  # None: something may have been missed


class Subscriptions:
    def __init__(self, address: Address, wire: Wire) -> None:
        self._address = address
        self._listeners: dict[str, list[Heard]] = {}
        self._left: set[str] = set()  # channels that nobody listens to any more
        self._leaving: asyncio.TimerHandle | None = None
        self._hold(wire)
        self._task = asyncio.create_task(self._stay_connected())

    @classmethod
    async def connect(cls, url: str) -> Subscriptions:
        """Raises SetupError and Unavailable, as `Valkey.connect` does."""
        address = Address.parse(url)
        return cls(address, await connected(address))

    @property
    def live(self) -> bool:
        return not self._wire.lost.done()

    async def add(self, channel: str, heard: Heard) -> None:
        """`heard` gets what is published from when this returns on. Without a connection it returns, too."""
        self._listeners.setdefault(channel, []).append(heard)
        await self._ask("SUBSCRIBE", channel)  # again for a second listener: what it hears begins with the answer, too

    def remove(self, channel: str, heard: Heard) -> None:
        listeners = self._listeners[channel]
        listeners.remove(heard)
        if not listeners:
            del self._listeners[channel]
            self._left.add(channel)
            self._leaving = self._leaving or asyncio.get_running_loop().call_later(LEAVE_S, self._leave)

    def _leave(self) -> None:
        self._leaving = None
        for channel in self._left - self._listeners.keys():
            self._wire.send(("UNSUBSCRIBE", channel)).add_done_callback(unheeded)
        self._left.clear()

    @asynccontextmanager
    async def listen(self, channel: str, heard: Heard) -> AsyncIterator[None]:
        """While the block lasts."""
        try:
            await self.add(channel, heard)
            yield
        finally:
            self.remove(channel, heard)

    async def close(self) -> None:
        self._task.cancel()
        if self._leaving:
            self._leaving.cancel()
        await self._wire.close()

    async def _ask(self, *command: str) -> None:
        with suppress(BeerForYouError):
            await self._wire.send(command)

    def _hold(self, wire: Wire) -> None:
        self._wire = wire
        wire.published = self._published

    def _published(self, channel: bytes, data: bytes) -> None:
        for heard in tuple(self._listeners.get(channel.decode(), ())):
            heard(data)

    async def _stay_connected(self) -> None:
        while True:
            await asyncio.wait([self._wire.lost], timeout=ANSWER_S)
            if self.live:
                self._wire.send(("PING",)).add_done_callback(unheeded)  # a peer that vanished answers nothing
                continue
            self._hold(await connected_again(self._address))
            await asyncio.gather(*(self._ask("SUBSCRIBE", channel) for channel in self._listeners))
            for heard in [heard for listeners in self._listeners.values() for heard in listeners]:
                heard(None)
