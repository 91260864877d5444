"""Who answers a person at the command line: a server that runs on the data folder or at BEERFORYOU_URL, over HTTP; or
this very process, when there is none.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from beerforyou.cli.announced import found
from beerforyou.cli.output import starting

if TYPE_CHECKING:
    from beerforyou.house import House
    from beerforyou.settings import Settings

NO_CONVERSATION = UUID(int=0)
Show = Callable[[str, dict[str, Any]], None]  # an event: its type and data
CANCEL_S = 5.0  # after Ctrl-C, how long to wait for somebody to hear of it


class Asking(Protocol):
    """On behalf of one client. `where` is who answers, for a person to read."""

    where: str

    async def accept(self, message: str, conversation: UUID | None) -> tuple[UUID, UUID]:
        """The ids of the run and of the conversation."""

    def events(self, run_id: UUID) -> AsyncGenerator[tuple[str, dict[str, Any]]]:
        """Type and data of each, to the last one."""

    async def look(self, run_id: UUID) -> Any:
        """The run with its steps, as JSON has it."""

    async def cancel(self, run_id: UUID) -> None: ...


class Here:
    """In this process, in which a worker runs."""

    where = "this process"

    def __init__(self, house: House, client_id: str) -> None:
        self._house, self._client_id = house, client_id
        self._reads = house.database.as_client(client_id)

    async def accept(self, message: str, conversation: UUID | None) -> tuple[UUID, UUID]:
        from beerforyou.conversations.accepting import accept

        accepted = await accept(self._house, self._client_id, message, conversation)
        return accepted.run, accepted.conversation_id

    async def events(self, run_id: UUID) -> AsyncGenerator[tuple[str, dict[str, Any]]]:
        async with self._house.following.events(self._reads, run_id) as events:
            async for event in events:
                yield event.type, event.data

    async def look(self, run_id: UUID) -> Any:
        import msgspec

        from beerforyou.runs.looking import look

        return msgspec.to_builtins(await look(self._reads, run_id, steps=True))

    async def cancel(self, run_id: UUID) -> None:
        from beerforyou.runs.cancelling import cancel

        house = self._house
        await cancel(house.database.batch, house.publishing, house.bell, self._client_id, run_id)


@contextlib.asynccontextmanager
async def asking(settings: Settings, client_id: str) -> AsyncIterator[Asking]:
    """Whoever can answer. Raises BadUsage and SetupError when BEERFORYOU_URL is set and cannot be used."""
    async with contextlib.AsyncExitStack() as stack:
        if settings.url or found(settings):
            from beerforyou.cli.remote import connected, server

            if where := await server(settings, client_id):
                yield await stack.enter_async_context(connected(where))
                return
        with starting("Starting, since no `beerforyou serve` runs on this folder …"):
            from beerforyou.house import opened
            from beerforyou.worker.worker import working

            house = await stack.enter_async_context(opened(settings))
            await stack.enter_async_context(working(house))
        yield Here(house, client_id)


class Talk:
    """One conversation. `conversation` is its id, from the first message on."""

    def __init__(self, asking: Asking, conversation: UUID | None = None) -> None:
        self.asking, self.conversation = asking, conversation

    async def greet(self) -> None:
        """Raises NotAllowed for a client that nobody knows, before anything was said."""
        from beerforyou.errors import NotFound

        with contextlib.suppress(NotFound):  # who may ask is looked at before what
            await self.asking.accept("?", NO_CONVERSATION)

    async def say(self, message: str, show: Show) -> UUID:
        """The run, once it has ended. Who cancels this cancels the run."""
        run_id, self.conversation = await self.asking.accept(message, self.conversation)
        try:
            async for kind, data in self.asking.events(run_id):
                show(kind, data)
        except asyncio.CancelledError:
            await self._stopped(run_id)
            raise
        return run_id

    async def _stopped(self, run_id: UUID) -> None:
        from beerforyou.errors import BeerForYouError

        with contextlib.suppress(BeerForYouError, TimeoutError):
            async with asyncio.timeout(CANCEL_S):
                await self.asking.cancel(run_id)
