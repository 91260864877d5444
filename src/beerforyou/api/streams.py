"""Server-sent events: whoever comes again says which one he saw last."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import msgspec

from beerforyou.api.exchange import Request, Stream
from beerforyou.errors import BadUsage, Unavailable
from beerforyou.runs.run import Event

Events = AsyncGenerator[Event | None]


def last_event(request: Request) -> int:
    """Raises BadUsage."""
    last = request.headers.get("last-event-id", "0")
    if not last.isascii() or not last.isdigit() or len(last) > 9:
        raise BadUsage(
            f"Last-Event-ID: {last!r} is not the number of an event", "send the last id that you saw, or none"
        )
    return int(last)


async def streamed(request: Request, follow: Awaitable[Events], lines: Callable[[Event], bytes]) -> Stream:
    """What `follow` brings; raises what it raises before the first event, and HungUp when the caller does before."""
    events = await request.unless_gone(follow)
    task = asyncio.create_task(_written(stream := Stream(lambda: task.cancel()), events, lines))
    return stream


def written(number: int, kind: str, data: dict[str, Any]) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, kind.encode(), msgspec.json.encode(data))


async def _written(stream: Stream, events: Events, lines: Callable[[Event], bytes]) -> None:
    with contextlib.suppress(Unavailable):  # whoever follows comes again, and continues
        async with contextlib.aclosing(events):
            async for event in events:
                if event:
                    stream.write(lines(event))
                    await stream.drained()
    stream.close()
