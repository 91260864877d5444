"""`/v1/runs`: ask, look, follow, cancel."""

from __future__ import annotations

import hashlib
import re
from functools import partial
from uuid import UUID

import msgspec

from beerforyou.api.exchange import Request, Response, Stream
from beerforyou.api.http import body, caller, house_of, no_body, path_id, reply
from beerforyou.api.resources import AcceptedRun, CancelledRun, NewRun
from beerforyou.api.streams import accepts, event, followed, last_event, streamed
from beerforyou.conversations.accepting import Accepted, accept
from beerforyou.errors import BadUsage
from beerforyou.runs.cancelling import cancel
from beerforyou.runs.looking import ended, look
from beerforyou.seams import through

LONGEST_WAIT_S = 60  # proxies let go of a silent request after about as long


async def create_run(request: Request) -> Response | Stream:
    """Answers as soon as the message is safe; whoever accepts text/event-stream gets the run's events with it."""
    asker = await caller(request)
    new, asked = await body(request, NewRun)
    house, stream = house_of(request), Stream() if accepts(request) else None

    async def heard(run_id: UUID) -> None:
        if stream:
            await followed(request, stream, partial(house.following.new_run, run_id))

    work = accept(house, asker.client_id, new.message, new.conversation_id, asker.scopes, new.on_busy, asked, heard)
    accepted = await through("accept", new.message, work)
    if stream is None or accepted.run_id is None:
        location = _location(accepted)
        return reply(_shown(accepted), 202, location=location)
    stream.write(event("accepted", _shown(accepted)))
    if stream.on_close is None:  # it was accepted before, under the same key
        reads = house.database.as_client(asker.client_id)
        await followed(request, stream, partial(house.following.run, reads, accepted.run_id, 0))
    return stream


def _location(accepted: Accepted) -> str:
    return f"/v1/runs/{accepted.run_id}" if accepted.run_id else f"/v1/conversations/{accepted.conversation_id}"


def _shown(accepted: Accepted) -> AcceptedRun:
    return AcceptedRun(
        run_id=accepted.run_id,
        conversation_id=accepted.conversation_id,
        status=accepted.status,
        events=f"{_location(accepted)}/events",
    )


async def get_run(request: Request) -> Response:
    """As it stands, or with `Prefer: wait=` once it has ended; 304 when that is what the caller has."""
    include = request.query_params.get("include", "")
    if include not in ("", "steps"):
        raise BadUsage(f"include: there is nothing called {include!r}", "include=steps is what there is")
    asker, run_id = await caller(request), path_id(request, "run_id")
    known, steps = _listed(request, "if-none-match"), include == "steps"
    wait = _wait(request)
    house = house_of(request)
    reads = house.database.as_client(asker.client_id)
    found = await look(reads, run_id, steps)
    if wait and found.finished_at is None and (not known or _is(known, _tag(found))):
        found = await request.unless_gone(ended(house.following, reads, run_id, wait, steps)) or found
    tag, applied = _tag(found), {"preference_applied": f"wait={wait}"} if wait else {}
    status = 304 if _is(known, tag) else 200
    return reply(found, status, etag=tag, cache_control="no-store", **applied)


async def cancel_run(request: Request) -> Response:
    asker, run_id = await caller(request), path_id(request, "run_id")
    asked = await no_body(request)
    house = house_of(request)
    status = await cancel(house.database.batch, house.publishing, house.bell, asker.client_id, run_id, asked)
    return reply(CancelledRun(run_id=run_id, status=status), 202 if status == "cancelling" else 200)


async def get_run_events(request: Request) -> Stream:
    """Server-sent events: ids are the events' numbers, so that `Last-Event-ID` continues anywhere."""
    asker, after, house = await caller(request), last_event(request), house_of(request)
    run_id, reads = path_id(request, "run_id"), house.database.as_client(asker.client_id)
    return await streamed(request, partial(house.following.run, reads, run_id, after))


def _listed(request: Request, header: str) -> str:
    """A header that may be repeated."""
    return request.headers.get(header, "")


def _wait(request: Request) -> int:
    """The seconds of `Prefer: wait=10` (RFC 7240), within reason; a preference that we can't read is ignored."""
    for preference in _listed(request, "prefer").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if found := name.strip().lower() == "wait" and re.fullmatch(r'"?0*(\d{1,9})"?', value.strip(), re.ASCII):
            return min(int(found[1]), LONGEST_WAIT_S)
    return 0


def _tag(content: object) -> str:
    return f'"{hashlib.blake2b(msgspec.json.encode(content), digest_size=12).hexdigest()}"'


def _is(known: str, tag: str) -> bool:
    """If-None-Match: tags after commas, compared weakly, or `*`."""
    return known.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in known.split(","))
