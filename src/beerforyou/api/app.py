"""The app: the routes, and how errors leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as Routed

from beerforyou.api.http import on_crash, on_disconnect, on_error, on_http_exception
from beerforyou.api.openapi import Handler, Route, document
from beerforyou.api.routes import ROUTES, WEBHOOKS
from beerforyou.api.tokens import Tokens
from beerforyou.errors import BeerForYouError
from beerforyou.health import Health
from beerforyou.house import House


def app(house: House) -> Starlette:
    made = Starlette(
        routes=[Routed(path, _either(by), methods=list(by)) for path, by in _by_path(ROUTES).items()],
        exception_handlers={
            BeerForYouError: on_error,
            HTTPException: on_http_exception,
            ClientDisconnect: on_disconnect,
            Exception: on_crash,
        },
    )
    made.router.redirect_slashes = False  # there is one address for each thing, and none is made of a Host header
    made.state.house = house
    made.state.tokens = Tokens(house.settings)
    made.state.document = document(ROUTES, WEBHOOKS)
    made.state.health, made.state.looking = Health(house), None
    return made


def _by_path(routes: Iterable[Route]) -> dict[str, dict[str, Handler]]:
    """Handlers by path and method: Starlette's own 405 names the methods of one of its routes alone."""
    found: dict[str, dict[str, Handler]] = {}
    for route in routes:
        found.setdefault(route.path, {})[route.method] = route.handler
    return found


def _either(by_method: Mapping[str, Handler]) -> Handler:
    async def handle(request: Request) -> Response:
        return await by_method["GET" if request.method == "HEAD" else request.method](request)

    return handle
