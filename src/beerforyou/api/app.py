"""The app: which handler answers a request, what all of them share, and how errors leave."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable

from beerforyou.api.exchange import Handler, HungUp, Request, Response, Stream
from beerforyou.api.http import crashed, no_such, problem
from beerforyou.api.openapi import Route, document
from beerforyou.api.routes import ROUTES, WEBHOOKS
from beerforyou.api.tokens import Tokens
from beerforyou.errors import BeerForYouError
from beerforyou.health import Health
from beerforyou.house import House

log = logging.getLogger(__name__)


class App:
    def __init__(self, house: House) -> None:
        self.house, self.tokens, self.health = house, Tokens(house.settings), Health(house)
        self.document = document(ROUTES, WEBHOOKS)
        self.looking: asyncio.Task[dict[str, bool]] | None = None  # at what readiness needs
        self._places = _places(ROUTES)

    async def __call__(self, request: Request) -> Response | Stream:
        try:
            return await self._handler(request)(request)
        except BeerForYouError as error:
            return problem(error)
        except HungUp:
            raise
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return crashed()

    def _handler(self, request: Request) -> Handler:
        """There is one address for each thing, and an id is never empty."""
        place, ids = self._places, list[str]()
        for segment in request.path.split("/"):
            below = place.below.get(segment)
            if below is None:
                if place.any is None or not segment:
                    return no_such(404)
                ids.append(segment)
                below = place.any
            place = below
        if not place.by_method:
            return no_such(404)
        if found := place.by_method.get(request.method):
            request.path_params = dict(zip(place.names, ids, strict=True))
            return found
        return no_such(405, allow=", ".join(place.by_method))


class _Place:
    """What is at a path, or below it: by the next segment, which may be `any` id."""

    def __init__(self) -> None:
        self.below: dict[str, _Place] = {}
        self.any: _Place | None = None
        self.names: list[str] = []
        self.by_method: dict[str, Handler] = {}

    def next(self, segment: str) -> _Place:
        if not segment.startswith("{"):
            return self.below.setdefault(segment, _Place())
        self.any = self.any or _Place()
        return self.any


def _places(routes: Iterable[Route]) -> _Place:
    root = _Place()
    for route in routes:
        place = root
        for segment in route.path.split("/"):
            place = place.next(segment)
        place.names = re.findall(r"{(\w+)}", route.path)
        place.by_method[route.method] = route.handler
        if route.method == "GET":
            place.by_method["HEAD"] = route.handler
    return root
