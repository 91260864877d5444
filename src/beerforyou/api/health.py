"""`/healthz`: the process lives. `/readyz`: it can do its work."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from beerforyou.api.http import house_of, reply


async def healthz(request: Request) -> Response:
    return reply({"status": "ok"})


async def readyz(request: Request) -> Response:
    """503 with the names of those who do not answer; `replica` only where there is one.

    One look for all who ask at the time: they need no token, and it takes connections that clients wait for.
    """
    state = request.app.state
    if state.looking is None or state.looking.done():
        state.looking = asyncio.create_task(state.health.ready())
    down = [name for name, ok in (await asyncio.shield(state.looking)).items() if not ok]
    if down:
        return reply({"status": "unavailable", "down": down}, 503)
    watch = house_of(request).database.watch
    replica = {"replica": {"behind_s": round(watch.behind_s, 1), "fallbacks": watch.fallbacks}} if watch else {}
    return reply({"status": "ok"} | replica)
