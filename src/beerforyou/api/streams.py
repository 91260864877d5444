"""Server-sent events: whoever comes again says which one he saw last."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from beerforyou.api.http import unless_gone
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


async def streamed(request: Request, follow: Awaitable[Events], lines: Callable[[Event], bytes]) -> Response:
    """What `follow` brings, unless the caller hangs up before; raises what it raises before the first event."""
    if (events := await unless_gone(request, follow)) is None:
        raise ClientDisconnect
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}  # the second one is for nginx
    return StreamingResponse(_stream(events, lines), media_type="text/event-stream", headers=headers)


def written(number: int, kind: str, data: dict[str, Any]) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, kind.encode(), msgspec.json.encode(data))


async def _stream(events: Events, lines: Callable[[Event], bytes]) -> AsyncGenerator[bytes]:
    with contextlib.suppress(Unavailable):  # whoever follows comes again, and continues
        async with contextlib.aclosing(events):
            async for event in events:
                yield lines(event) if event else b": still here\n\n"
