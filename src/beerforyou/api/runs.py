"""`/v1/runs`: ask, look, follow, cancel."""

from __future__ import annotations

import hashlib
import re

import msgspec

from beerforyou.api.exchange import Request, Response, Stream
from beerforyou.api.http import body, caller, house_of, no_body, path_id, reply
from beerforyou.api.resources import AcceptedRun, CancelledRun, NewRun
from beerforyou.api.streams import last_event, streamed, written
from beerforyou.conversations.accepting import accept
from beerforyou.errors import BadUsage
from beerforyou.runs.cancelling import cancel
from beerforyou.runs.looking import ended, look
from beerforyou.runs.run import Event
from beerforyou.seams import through

LONGEST_WAIT_S = 60  # proxies let go of a silent request after about as long


async def create_run(request: Request) -> Response:
    asker = await caller(request)
    new, asked = await body(request, NewRun)
    work = accept(
        house_of(request), asker.client_id, new.message, new.conversation_id, asker.scopes, new.on_busy, asked
    )
    accepted = await through("accept", new.message, work)
    by_bot = accepted.run_id is not None
    location = f"/v1/runs/{accepted.run_id}" if by_bot else f"/v1/conversations/{accepted.conversation_id}"
    shown = AcceptedRun(
        run_id=accepted.run_id,
        conversation_id=accepted.conversation_id,
        status=accepted.status,
        events=f"{location}/events",
    )
    return reply(shown, 202, location=location)


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
    asker, after = await caller(request), last_event(request)
    follow = house_of(request).following.events(
        house_of(request).database.as_client(asker.client_id), path_id(request, "run_id"), after
    )
    return await streamed(request, follow, _of_run)


def _of_run(event: Event) -> bytes:
    return written(event.seq or 0, event.type, event.data)


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
