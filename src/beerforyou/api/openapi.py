"""The OpenAPI document, made of rows that say what a route takes and what it answers, and of the types on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from beerforyou import __version__
from beerforyou.api.exchange import Handler, Request, Response
from beerforyou.api.http import LONGEST_KEY, reply
from beerforyou.api.resources import Problem

STREAM = "text/event-stream"
_REF = "#/components/schemas/{name}"

PROBLEMS = {
    400: "The call itself is malformed.",
    401: "No token, or one that is expired, foreign or broken.",
    403: "The client of the token is not known here.",
    404: "There is no such thing, or it is another client's.",
    409: "Something else is under way: the conversation is busy, or an equal request is being worked on.",
    413: "The body is too large.",
    422: "The body makes no sense: `detail` says what and where.",
    429: "Too much is waiting; `Retry-After` says in how many seconds to try again.",
    503: "A server behind this one does not answer, or too many wait for it (`busy`, with `Retry-After`); try again.",
}


def _text() -> dict[str, Any]:
    return {"type": "string"}


class Parameter(msgspec.Struct, frozen=True):
    name: str
    place: Literal["header", "path", "query"]
    description: str = ""
    schema: dict[str, Any] = msgspec.field(default_factory=_text)
    required: bool = False


class Header(msgspec.Struct, frozen=True):
    """Of an answer."""

    name: str
    description: str
    schema: dict[str, Any] = msgspec.field(default_factory=_text)


class Reply(msgspec.Struct, frozen=True):
    """One way in which a request may succeed. In a `STREAM`, `kind` is what each event holds."""

    status: int | Literal["2XX"]
    description: str
    kind: type | None = None
    headers: tuple[Header, ...] = ()
    media: str = "application/json"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    summary: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: type | None = None
    replies: tuple[Reply, ...]
    refusals: tuple[int, ...] = ()  # statuses of problem documents

    def all_parameters(self) -> tuple[Parameter, ...]:
        return self.parameters

    def all_refusals(self) -> list[int]:
        return sorted(self.refusals)


class Route(Operation, frozen=True):
    """`at` is a method and a path, as in `GET /v1/runs/{run_id}`; each name in braces is an id. `parameters` and `refusals`
    leave out what every route of its kind has."""

    at: str
    handler: Handler
    token: bool = True

    @property
    def method(self) -> str:
        return self.at.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.at.partition(" ")[2]

    def all_parameters(self) -> tuple[Parameter, ...]:
        ids = (Parameter(name, "path", schema=_UUID, required=True) for name in re.findall(r"{(\w+)}", self.path))
        return (*ids, *self.parameters)

    def all_refusals(self) -> list[int]:
        keyed = KEY in self.parameters
        usual = [401, 503] * self.token + [404] * ("{" in self.path) + [409] * keyed
        return sorted({*self.refusals, *usual, *([413, 422] if keyed or self.body else [])})


KEY = Parameter(
    "Idempotency-Key",
    "header",
    "A name for this request, such as a random UUID. Sent again with the same key and body it is done once and gets the same answer.",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
)
_UUID = {"type": "string", "format": "uuid"}
_RETRY_AFTER = Header("retry-after", "Seconds.", {"type": "integer", "minimum": 1})


async def describe(request: Request) -> Response:
    return reply(request.app.document)


def document(routes: Sequence[Route], webhooks: Mapping[str, Operation]) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route) | _security(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "BeerForYou",
            "version": __version__,
            "summary": "An assistant for the people who buy beer for a living.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "webhooks": {name: {"post": _operation(sent)} for name, sent in webhooks.items()},
        "components": {
            "schemas": _schemas((*routes, *webhooks.values())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
        "security": [{"token": []}],
    }


def _security(route: Route) -> dict[str, Any]:
    return {} if route.token else {"security": []}


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    kinds = {Problem} | {kind for each in operations for kind in (each.body, *(reply.kind for reply in each.replies))}
    _, schemas = msgspec.json.schema_components(kinds - {None}, ref_template=_REF)
    return dict(sorted(schemas.items()))


def _operation(each: Operation) -> dict[str, Any]:
    said = {
        "operationId": each.id,
        "summary": each.summary,
        "description": each.description,
        "parameters": [_parameter(parameter) for parameter in each.all_parameters()],
        "requestBody": {"required": True, "content": _content(each.body)} if each.body else None,
    }
    replies = {str(reply.status): _reply(reply) for reply in each.replies}
    refusals = {str(status): _reply(_refusal(status)) for status in each.all_refusals()}
    return {name: value for name, value in said.items() if value} | {"responses": replies | refusals}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    said = {"name": parameter.name, "in": parameter.place, "schema": parameter.schema}
    if parameter.description:
        said["description"] = parameter.description
    return said | ({"required": True} if parameter.required else {})


def _refusal(status: int) -> Reply:
    headers = (_RETRY_AFTER,) if status == 429 else ()
    return Reply(status, PROBLEMS[status], Problem, headers, "application/problem+json")


def _reply(reply: Reply) -> dict[str, Any]:
    said: dict[str, Any] = {"description": reply.description}
    if reply.kind:
        said["content"] = _content(reply.kind, reply.media)
    if reply.headers:
        said["headers"] = {h.name: {"description": h.description, "schema": h.schema} for h in reply.headers}
    return said


def _content(kind: type, media: str = "application/json") -> dict[str, Any]:
    return {media: {"schema": {"type": "string"} if media == STREAM else {"$ref": _REF.format(name=kind.__name__)}}}
