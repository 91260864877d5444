"""What every route needs: the caller, the body within its limit, JSON out, and errors as problem documents."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from beerforyou.api.resources import Problem
from beerforyou.api.tokens import Bearer, Tokens
from beerforyou.errors import BadInput, BeerForYouError, Busy, NotAuthenticated, NotFound, TooLarge, TooMany
from beerforyou.house import House
from beerforyou.runs.idempotency import Asked

T = TypeVar("T")

LONGEST_KEY = 255  # characters of an Idempotency-Key
LONGEST_DETAIL = 1000  # characters; it may quote what was sent


def house_of(request: Request) -> House:
    found: House = request.app.state.house
    return found


async def caller(request: Request) -> Bearer:
    """Who the bearer token speaks for. Raises NotAuthenticated."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("there is no bearer token", "send `Authorization: Bearer <token>`")
    tokens: Tokens = request.app.state.tokens
    return await tokens.bearer(token.strip())


async def body(request: Request, kind: type[T]) -> tuple[T, Asked]:
    """The JSON body as `kind`, and how the request came. Raises TooLarge and BadInput."""
    read, asked = await _read(request)
    try:
        return msgspec.json.decode(read, type=kind), asked
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"body: {error}", "send a JSON object as the API's description says") from None


async def no_body(request: Request) -> Asked:
    """How a request came that needs no body; what it has all the same only counts for its key. Raises as `body` does."""
    return (await _read(request))[1]


async def _read(request: Request) -> tuple[bytes, Asked]:
    largest, read = house_of(request).settings.max_body_bytes, bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > largest:
            raise TooLarge(f"the body is larger than {largest} bytes", "send less")
    return bytes(read), _asked(request, bytes(read))


def _asked(request: Request, read: bytes) -> Asked:
    key = request.headers.get("idempotency-key")
    if key is None:
        return Asked()
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= LONGEST_KEY):
        raise BadInput(
            f"Idempotency-Key: it must be 1 to {LONGEST_KEY} printable ASCII characters", "a random UUID is a good one"
        )
    said = f"{request.method} {request.scope['path']}\n".encode() + read
    return Asked(key=key, sent=hashlib.sha256(said).digest())


async def unless_gone(request: Request, wait: Awaitable[T]) -> T | None:
    """What `wait` brings, or raises; None when the caller hangs up first."""
    waiting, gone = asyncio.ensure_future(wait), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait([waiting, gone], return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        waiting.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def path_id(request: Request, name: str) -> UUID:
    try:
        return UUID(request.path_params[name])
    except ValueError:
        raise NotFound(f"{request.path_params[name]!r} is not an id", "ids are UUIDs") from None


def reply(content: Any, status: int = 200, **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if status in (204, 304):
        return Response(None, status, names)
    return Response(msgspec.json.encode(content), status, names, media_type="application/json")


def problem(error: BeerForYouError, **headers: str) -> Response:
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, (TooMany, Busy)):
        headers["retry-after"] = str(math.ceil(error.retry_after_s))
    return _document(error.kind, error.status, error.message, error.hint, headers)


def _document(kind: str, status: int, detail: str, hint: str, headers: Mapping[str, str]) -> Response:
    title = kind.replace("-", " ").capitalize()
    detail = detail if len(detail) <= LONGEST_DETAIL else f"{detail[:LONGEST_DETAIL]} …"
    document = Problem(type=f"urn:beerforyou:problem:{kind}", title=title, status=status, detail=detail, hint=hint)
    return Response(msgspec.json.encode(document), status, dict(headers), media_type="application/problem+json")


async def on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BeerForYouError)
    return problem(error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own refusals (no such route, wrong method), in the same form as ours."""
    assert isinstance(error, HTTPException)
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    detail = f"{request.method} {request.scope['path']}: {error.detail}"
    return _document(kind, error.status_code, detail, "the routes are in /openapi.json", error.headers or {})


async def on_crash(request: Request, error: Exception) -> Response:
    """What nobody foresaw; the log has the rest."""
    return _document("internal-error", 500, "something went wrong on our side", "try again in a moment", {})


async def on_disconnect(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody hears it
