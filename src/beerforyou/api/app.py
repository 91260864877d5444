"""The routes, and how errors leave."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from beerforyou.api import conversations, health, openapi, runs, webhooks
from beerforyou.api.http import on_crash, on_disconnect, on_error, on_http_exception, reply
from beerforyou.api.tokens import Tokens
from beerforyou.errors import BeerForYouError
from beerforyou.health import Health
from beerforyou.house import House


async def describe(request: Request) -> Response:
    return reply(openapi.DOCUMENT)


def app(house: House) -> Starlette:
    made = Starlette(
        routes=[
            Route("/v1/runs", runs.create_run, methods=["POST"]),
            Route("/v1/runs/{run_id}", runs.get_run),
            Route("/v1/runs/{run_id}/events", runs.get_run_events),
            Route("/v1/runs/{run_id}/cancel", runs.cancel_run, methods=["POST"]),
            Route("/v1/conversations/{conversation_id}", conversations.get_conversation),
            Route("/v1/webhooks", webhooks.list_webhooks),
            Route("/v1/webhooks", webhooks.create_webhook, methods=["POST"]),
            Route("/v1/webhooks/{webhook_id}", webhooks.delete_webhook, methods=["DELETE"]),
            Route("/v1/webhooks/{webhook_id}/secret", webhooks.rotate_webhook_secret, methods=["POST"]),
            Route("/openapi.json", describe),
            Route("/healthz", health.healthz),
            Route("/readyz", health.readyz),
        ],
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
    made.state.health, made.state.looking = Health(house), None
    return made
