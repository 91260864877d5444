"""What every route needs: the caller, the body within its limit, JSON out, and errors as problem documents."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from beerforyou.api.exchange import Handler, Request, Response
from beerforyou.api.resources import Problem
from beerforyou.api.tokens import Bearer
from beerforyou.errors import BadInput, BeerForYouError, Busy, NotAuthenticated, NotFound, TooLarge, TooMany
from beerforyou.house import House
from beerforyou.runs.idempotency import Asked

T = TypeVar("T")

LONGEST_KEY = 255  # characters of an Idempotency-Key
LONGEST_DETAIL = 1000  # characters; it may quote what was sent


def house_of(request: Request) -> House:
    return request.app.house


async def caller(request: Request) -> Bearer:
    """Who the bearer token speaks for. Raises NotAuthenticated."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("there is no bearer token", "send `Authorization: Bearer <token>`")
    return await request.app.tokens.bearer(token.strip())


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
    largest, read = house_of(request).settings.max_body_bytes, await request.body()
    if len(read) > largest:
        raise TooLarge(f"the body is larger than {largest} bytes", "send less")
    return read, _asked(request, read)


def _asked(request: Request, read: bytes) -> Asked:
    key = request.headers.get("idempotency-key")
    if key is None:
        return Asked()
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= LONGEST_KEY):
        raise BadInput(
            f"Idempotency-Key: it must be 1 to {LONGEST_KEY} printable ASCII characters", "a random UUID is a good one"
        )
    said = f"{request.method} {request.path}\n".encode() + read
    return Asked(key=key, sent=hashlib.sha256(said).digest())


def path_id(request: Request, name: str) -> UUID:
    try:
        return UUID(request.path_params[name])
    except ValueError:
        raise NotFound(f"{request.path_params[name]!r} is not an id", "ids are UUIDs") from None


def reply(content: Any, status: int = 200, **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if status in (204, 304):
        return Response(status=status, headers=names)
    return Response(msgspec.json.encode(content), status, names, "application/json")


def problem(error: BeerForYouError) -> Response:
    headers = {}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, (TooMany, Busy)):
        headers["retry-after"] = str(math.ceil(error.retry_after_s))
    return _document(error.kind, error.status, error.message, error.hint, headers)


def no_such(status: int, **headers: str) -> Handler:
    """Says so: there is no such route (404), or not this method (405)."""
    phrase = HTTPStatus(status).phrase

    async def handle(request: Request) -> Response:
        detail = f"{request.method} {request.path}: {phrase}"
        return _document(phrase.lower().replace(" ", "-"), status, detail, "the routes are in /openapi.json", headers)

    return handle


def crashed() -> Response:
    """What nobody foresaw; the log has the rest."""
    return _document("internal-error", 500, "something went wrong on our side", "try again in a moment", {})


def _document(kind: str, status: int, detail: str, hint: str, headers: Mapping[str, str]) -> Response:
    title = kind.replace("-", " ").capitalize()
    detail = detail if len(detail) <= LONGEST_DETAIL else f"{detail[:LONGEST_DETAIL]} …"
    document = Problem(type=f"urn:beerforyou:problem:{kind}", title=title, status=status, detail=detail, hint=hint)
    return Response(msgspec.json.encode(document), status, headers, "application/problem+json")
