"""`/healthz`: the process lives. `/readyz`: it can do its work."""

from __future__ import annotations

import asyncio

from beerforyou.api.exchange import Request, Response
from beerforyou.api.http import house_of, reply


async def healthz(request: Request) -> Response:
    return reply({"status": "ok"})


async def readyz(request: Request) -> Response:
    """503 with the names of those who do not answer; `replica` only where there is one.

    One look for all who ask at the time: they need no token, and it takes connections that clients wait for.
    """
    app = request.app
    if app.looking is None or app.looking.done():
        app.looking = asyncio.create_task(app.health.ready())
    down = [name for name, ok in (await asyncio.shield(app.looking)).items() if not ok]
    if down:
        return reply({"status": "unavailable", "down": down}, 503)
    watch = house_of(request).database.watch
    replica = {"replica": {"behind_s": round(watch.behind_s, 1), "fallbacks": watch.fallbacks}} if watch else {}
    return reply({"status": "ok"} | replica)
