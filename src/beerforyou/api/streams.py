"""Server-sent events: whoever comes again says which one he saw last."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from beerforyou.api.http import house_of, unless_gone
from beerforyou.errors import BadUsage
from beerforyou.runs.following import Follower, Following, Sink

IDLE_S = 15.0  # proxies cut what is silent for longer than 30 s or a minute
STILL_HERE = b": still here\n\n"
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}  # the second one is for nginx


def last_event(request: Request) -> int:
    """Raises BadUsage."""
    last = request.headers.get("last-event-id", "0")
    if not last.isascii() or not last.isdigit() or len(last) > 9:
        raise BadUsage(
            f"Last-Event-ID: {last!r} is not the number of an event", "send the last id that you saw, or none"
        )
    return int(last)


class _Written:
    """What a follower is told, until it is sent."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._some = asyncio.Event()
        self._over = False

    def write(self, frames: bytes) -> None:
        self._frames.append(frames)
        self._some.set()

    def close(self) -> None:
        self._over = True
        self._some.set()

    async def next(self) -> bytes | None:
        """All that there is by now, or a sign of life; None when nothing comes any more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):
                await self._some.wait()
        self._some.clear()
        frames, self._frames = b"".join(self._frames), []
        return frames or (None if self._over else STILL_HERE)


Begin = Callable[[Sink], Awaitable[Follower]]


async def streamed(request: Request, begin: Begin, **headers: str) -> Response:
    """What the follower that `begin` makes is told, unless the caller hangs up before; raises what it raises."""
    written = _Written()
    if (follower := await unless_gone(request, begin(written))) is None:
        raise ClientDisconnect
    following = house_of(request).following
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return StreamingResponse(
        _sent(following, follower, written), media_type="text/event-stream", headers=HEADERS | more
    )


async def _sent(following: Following, follower: Follower, written: _Written) -> AsyncGenerator[bytes]:
    try:
        while frames := await written.next():
            yield frames
    finally:
        following.leave(follower)
