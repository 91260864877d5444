"""Open Brewery DB's API, as far as a sync sees it, served on loopback; it can be told to misbehave."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Misbehave = Callable[[int], web.StreamResponse | None]  # by the number of the request


class BreweryApi:
    """`misbehave` may answer in its place; `requests` are (path, page, time) of all that came."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.total = len(rows)
        self.misbehave: Misbehave = lambda number: None
        self.requests: list[tuple[str, str, float]] = []
        self.accepts: set[str] = set()
        self.url = ""

    @property
    def pages(self) -> list[int]:
        return [int(page) for path, page, _ in self.requests if path == "/v1/breweries"]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.path, request.query.get("page", ""), time.monotonic()))
        self.accepts.add(request.headers.get("Accept", ""))
        if answer := self.misbehave(len(self.requests)):
            return answer
        if request.path == "/v1/breweries/meta":
            return web.json_response({"total": self.total, "page": 1, "per_page": 50})
        if request.path != "/v1/breweries":
            raise web.HTTPNotFound
        size = int(request.query["per_page"])
        if not 1 <= size <= 200:
            raise web.HTTPUnprocessableEntity
        start = (int(request.query["page"]) - 1) * size
        return web.json_response(self.rows[start : start + size])


@asynccontextmanager
async def serving(rows: list[dict[str, Any]]) -> AsyncIterator[BreweryApi]:
    api = BreweryApi(rows)
    app = web.Application()
    app.router.add_get("/{path:.*}", api.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield api
    finally:
        await runner.cleanup()
