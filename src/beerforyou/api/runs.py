"""`/v1/runs`: ask, look, follow."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from beerforyou.answering.journal import Event
from beerforyou.api.http import body, caller, path_id, reply, service
from beerforyou.api.resources import AcceptedRun, NewRun
from beerforyou.errors import BadUsage


async def create_run(request: Request) -> Response:
    asker = await caller(request)
    new = await body(request, NewRun)
    accepted = await service(request).accept(asker.client_id, new.message, new.conversation_id, asker.scopes)
    location = f"/v1/runs/{accepted.run_id}"
    shown = AcceptedRun(
        run_id=accepted.run_id,
        conversation_id=accepted.conversation_id,
        status=accepted.status,
        events=f"{location}/events",
    )
    return reply(shown, 202, location=location)


async def get_run(request: Request) -> Response:
    include = request.query_params.get("include", "")
    if include not in ("", "steps"):
        raise BadUsage(f"include: there is nothing called {include!r}", "include=steps is what there is")
    asker = await caller(request)
    run = await service(request).run(asker.client_id, path_id(request, "run_id"), steps=include == "steps")
    return reply(run, cache_control="no-store")


async def get_run_events(request: Request) -> Response:
    """Server-sent events; an id is the event's number, so that `Last-Event-ID` continues anywhere."""
    client_id, run_id = (await caller(request)).client_id, path_id(request, "run_id")
    last = request.headers.get("last-event-id", "0")
    if not last.isascii() or not last.isdigit() or len(last) > 9:
        raise BadUsage(
            f"Last-Event-ID: {last!r} is not the number of an event", "send the last id that you saw, or none"
        )
    events = await service(request).follow(client_id, run_id, int(last))
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_lines(events), media_type="text/event-stream", headers=headers)


async def _lines(events: AsyncIterator[Event | None]) -> AsyncIterator[bytes]:
    async for event in events:
        if event is None:
            yield b": still here\n\n"
        else:
            yield b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.type.encode(), msgspec.json.encode(event.data))
