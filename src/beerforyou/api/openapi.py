"""The OpenAPI document, made of the resources' own types."""

from __future__ import annotations

from typing import Any

import msgspec

from beerforyou import __version__
from beerforyou.answering.journal import Event
from beerforyou.api.resources import AcceptedRun, Conversation, NewRun, Problem, Run

_REF = "#/components/schemas/{name}"
_TYPES = (NewRun, AcceptedRun, Run, Conversation, Event, Problem)
_, _SCHEMAS = msgspec.json.schema_components(_TYPES, ref_template=_REF)

_PROBLEMS = {
    "400": "The call itself is malformed.",
    "401": "No token, or one that is expired, foreign or broken.",
    "403": "The client of the token is not known here.",
    "404": "There is no such thing, or it is another client's.",
    "413": "The body is too large.",
    "422": "The body makes no sense: `detail` says what and where.",
    "503": "A server behind this one does not answer; try again.",
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(name=name)}


def _json(name: str, description: str, **more: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(name)}}} | more


def _refusals(*statuses: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in statuses}


def _id(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


_LOCATION = {"location": {"description": "The run.", "schema": {"type": "string"}}}
_INCLUDE = {"name": "include", "in": "query", "description": "`steps` for the ledger.", "schema": {"enum": ["steps"]}}
_LAST_EVENT = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "Continue after this event.",
    "schema": {"type": "integer", "minimum": 0},
}
_EVENTS = (
    "Server-sent events. `id` is the event's number, from 1 without gaps; `event` is started, tool_started, "
    "tool_finished, text, answer or finished; `data` is a JSON object. `answer` holds the whole answer, `finished` is the last."
)
_PLAIN = {"200": {"description": "It is."}}

_PATHS: dict[str, Any] = {
    "/v1/runs": {
        "post": {
            "operationId": "createRun",
            "summary": "Send a message",
            "description": "Returns as soon as the message is safe; the answer is made by a worker. Poll or follow the run.",
            "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("NewRun")}}},
            "responses": {"202": _json("AcceptedRun", "Accepted.", headers=_LOCATION)}
            | _refusals("401", "403", "404", "413", "422", "503"),
        }
    },
    "/v1/runs/{run_id}": {
        "get": {
            "operationId": "getRun",
            "summary": "Look at a run",
            "parameters": [_id("run_id"), _INCLUDE],
            "responses": {"200": _json("Run", "The run as it stands.")} | _refusals("400", "401", "404", "503"),
        }
    },
    "/v1/runs/{run_id}/events": {
        "get": {
            "operationId": "followRun",
            "summary": "Follow a run",
            "parameters": [_id("run_id"), _LAST_EVENT],
            "responses": {
                "200": {"description": _EVENTS, "content": {"text/event-stream": {"schema": {"type": "string"}}}}
            }
            | _refusals("400", "401", "404", "503"),
        }
    },
    "/v1/conversations/{conversation_id}": {
        "get": {
            "operationId": "getConversation",
            "summary": "Read a conversation",
            "parameters": [_id("conversation_id")],
            "responses": {"200": _json("Conversation", "Its messages, oldest first.")} | _refusals("401", "404", "503"),
        }
    },
    "/openapi.json": {
        "get": {"operationId": "describe", "summary": "This document", "security": [], "responses": _PLAIN}
    },
    "/healthz": {
        "get": {"operationId": "isAlive", "summary": "The process lives", "security": [], "responses": _PLAIN}
    },
    "/readyz": {
        "get": {
            "operationId": "isReady",
            "summary": "The process can do its work",
            "security": [],
            "responses": _PLAIN | {"503": {"description": "`down` names the servers that do not answer."}},
        }
    },
}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "BeerForYou",
        "version": __version__,
        "summary": "An assistant for the people who buy beer for a living.",
        "license": {"name": "MIT", "identifier": "MIT"},
    },
    "paths": _PATHS,
    "components": {
        "schemas": _SCHEMAS,
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    },
    "security": [{"token": []}],
}
