"""What every route needs: the caller, the body within its limit, JSON out, and errors as problem documents."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from beerforyou.api.resources import Problem
from beerforyou.api.tokens import Tokens
from beerforyou.errors import BadInput, BeerForYouError, NotAuthenticated, NotFound, TooLarge
from beerforyou.service import Service

T = TypeVar("T")


def service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


async def caller(request: Request) -> str:
    """The client id of the bearer token. Raises NotAuthenticated."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("there is no bearer token", "send `Authorization: Bearer <token>`")
    tokens: Tokens = request.app.state.tokens
    return await tokens.client_id(token.strip())


async def body(request: Request, kind: type[T]) -> T:
    """The JSON body as `kind`. Raises TooLarge and BadInput."""
    largest, read = service(request).settings.max_body_bytes, bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > largest:
            raise TooLarge(f"the body is larger than {largest} bytes", "send less")
    try:
        return msgspec.json.decode(bytes(read), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"body: {error}", "send a JSON object as the API's description says") from None


def path_id(request: Request, name: str) -> UUID:
    try:
        return UUID(request.path_params[name])
    except ValueError:
        raise NotFound(f"{request.path_params[name]!r} is not an id", "ids are UUIDs") from None


def reply(content: Any, status: int = 200, **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(msgspec.json.encode(content), status, names, media_type="application/json")


def problem(error: BeerForYouError) -> Response:
    title = error.kind.replace("-", " ").capitalize()
    document = Problem(
        type=f"urn:beerforyou:problem:{error.kind}",
        title=title,
        status=error.status,
        detail=error.message,
        hint=error.hint,
    )
    headers = {"www-authenticate": "Bearer"} if error.status == 401 else {}
    return Response(msgspec.json.encode(document), error.status, headers, media_type="application/problem+json")


def on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BeerForYouError)
    return problem(error)


def on_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own refusals (no such route, wrong method), in the same form as ours."""
    assert isinstance(error, HTTPException)
    ours = BeerForYouError(f"{request.method} {request.url.path}: {error.detail}", "the routes are in /openapi.json")
    ours.status = error.status_code
    return problem(ours)
