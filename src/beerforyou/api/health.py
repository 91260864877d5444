"""`/healthz`: the process lives. `/readyz`: it can do its work."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from beerforyou.api.http import reply, service


async def healthz(request: Request) -> Response:
    return reply({"status": "ok"})


async def readyz(request: Request) -> Response:
    """503 with the names of those who do not answer."""
    down = [name for name, ok in (await service(request).ready()).items() if not ok]
    return reply({"status": "unavailable", "down": down}, 503) if down else reply({"status": "ok"})
