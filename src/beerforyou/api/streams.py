"""Server-sent events: whoever comes again says which one he saw last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from beerforyou.api.exchange import Request, Stream
from beerforyou.api.http import house_of
from beerforyou.errors import BadUsage
from beerforyou.runs.following import Follower, Sink
from beerforyou.runs.frames import frame

Begin = Callable[[Sink], Awaitable[Follower]]


def last_event(request: Request) -> int:
    """Raises BadUsage."""
    last = request.headers.get("last-event-id", "0")
    if not last.isascii() or not last.isdigit() or len(last) > 9:
        raise BadUsage(
            f"Last-Event-ID: {last!r} is not the number of an event", "send the last id that you saw, or none"
        )
    return int(last)


def accepts(request: Request) -> bool:
    """Whether the answer itself may be a stream."""
    accepted = request.headers.get("accept", "").lower().split(",")
    return any(media.partition(";")[0].strip() == Stream.media for media in accepted)


async def streamed(request: Request, begin: Begin) -> Stream:
    """What the follower that `begin` makes is told; raises what it raises, and HungUp when the caller hangs up before."""
    stream = Stream()
    await followed(request, stream, begin)
    return stream


async def followed(request: Request, stream: Stream, begin: Begin) -> None:
    follower = await request.unless_gone(begin(stream))
    following = house_of(request).following
    if stream.closed:
        following.leave(follower)
    stream.on_close = lambda: following.leave(follower)


def event(type: str, content: object) -> bytes:
    """One without a number: it is not told again."""
    return frame(0, type, msgspec.json.encode(content))
