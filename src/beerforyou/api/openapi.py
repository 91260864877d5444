"""The OpenAPI document, made of the resources' own types."""

from __future__ import annotations

from typing import Any

import msgspec

from beerforyou import __version__
from beerforyou.api.resources import AcceptedRun, CancelledRun, Conversation, NewRun, Problem, Run, RunFinished
from beerforyou.api.webhooks import NewWebhook, WebhookList
from beerforyou.runs.journal import Event
from beerforyou.webhooks.registry import AddedWebhook, RotatedWebhook

_REF = "#/components/schemas/{name}"
_TYPES = (
    *(NewRun, AcceptedRun, CancelledRun, Run, Conversation, Event, Problem),
    *(NewWebhook, AddedWebhook, RotatedWebhook, WebhookList, RunFinished),
)
_, _SCHEMAS = msgspec.json.schema_components(_TYPES, ref_template=_REF)

_PROBLEMS = {
    "400": "The call itself is malformed.",
    "401": "No token, or one that is expired, foreign or broken.",
    "403": "The client of the token is not known here.",
    "404": "There is no such thing, or it is another client's.",
    "409": "Something else is under way: the conversation is busy, or an equal request is being worked on.",
    "410": "The events are no longer kept; the run itself is.",
    "413": "The body is too large.",
    "422": "The body makes no sense: `detail` says what and where.",
    "429": "Too much is waiting; `Retry-After` says in how many seconds to try again.",
    "503": "A server behind this one does not answer, or too many wait for it (`busy`, with `Retry-After`); try again.",
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(name=name)}


def _json(name: str, description: str, **more: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(name)}}} | more


def _refusals(*statuses: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {
        status: {"description": _PROBLEMS[status], "content": content} | (_RETRY_AFTER if status == "429" else {})
        for status in statuses
    }


def _id(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"} | schema}


_RETRY_AFTER = {"headers": {"retry-after": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}}
_LOCATION = {"location": {"description": "The run.", "schema": {"type": "string"}}}
_INCLUDE = {"name": "include", "in": "query", "description": "`steps` for the ledger.", "schema": {"enum": ["steps"]}}
_LAST_EVENT = _header("Last-Event-ID", "Continue after this event.", type="integer", minimum=0)
_KEY = _header(
    "Idempotency-Key",
    "A name for this request, such as a random UUID. Sent again with the same key and body it is done once and gets the same answer.",
    minLength=1,
    maxLength=255,
)
_PREFER = _header("Prefer", "`wait=20` answers when the run has ended, or after 20 seconds; at most 60.")
_KNOWN = _header("If-None-Match", "The `etag` of the run as the caller has it.")
_ETAG = {"etag": {"description": "Changes with the run.", "schema": {"type": "string"}}}
_EVENTS = (
    "Server-sent events. `id` is the event's number, from 1 without gaps; `event` is started, tool_started, "
    "tool_finished, text, answer or finished; `data` is a JSON object. Another `started` says that the text before it is void, "
    "since the work was begun again. `answer` holds the whole answer, `finished` is the last."
)
_DELIVERY = (
    "For each run of the client that ends, a message is posted to the address: `{type: run.finished, timestamp, data}`, where data is "
    "the run. It is signed after the Standard Webhooks specification, comes at least once, each time with the same `webhook-id`, and is "
    "tried for three days."
)
_PLAIN = {"200": {"description": "It is."}}

_PATHS: dict[str, Any] = {
    "/v1/runs": {
        "post": {
            "operationId": "createRun",
            "summary": "Send a message",
            "description": "Returns as soon as the message is safe; the answer is made by a worker. Poll or follow the run.",
            "parameters": [_KEY],
            "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("NewRun")}}},
            "responses": {"202": _json("AcceptedRun", "Accepted.", headers=_LOCATION)}
            | _refusals("401", "403", "404", "409", "413", "422", "429", "503"),
        }
    },
    "/v1/runs/{run_id}": {
        "get": {
            "operationId": "getRun",
            "summary": "Look at a run",
            "parameters": [_id("run_id"), _INCLUDE, _PREFER, _KNOWN],
            "responses": {
                "200": _json("Run", "The run as it stands.", headers=_ETAG),
                "304": {"description": "It is as the caller has it.", "headers": _ETAG},
            }
            | _refusals("400", "401", "404", "503"),
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
            | _refusals("400", "401", "404", "410", "503"),
        }
    },
    "/v1/runs/{run_id}/cancel": {
        "post": {
            "operationId": "cancelRun",
            "summary": "Cancel a run",
            "description": "Wherever it is worked on, it ends before its next step that costs.",
            "parameters": [_id("run_id"), _KEY],
            "responses": {
                "202": _json("CancelledRun", "It will end."),
                "200": _json("CancelledRun", "It had ended before."),
            }
            | _refusals("401", "404", "409", "413", "422", "503"),
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
    "/v1/webhooks": {
        "get": {
            "operationId": "listWebhooks",
            "summary": "List the webhooks",
            "responses": {"200": _json("WebhookList", "Oldest first.")} | _refusals("401", "503"),
        },
        "post": {
            "operationId": "createWebhook",
            "summary": "Be told when a run ends",
            "description": _DELIVERY,
            "parameters": [_KEY],
            "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("NewWebhook")}}},
            "responses": {"201": _json("AddedWebhook", "The webhook, and its secret.")}
            | _refusals("401", "403", "409", "413", "422", "503"),
        },
    },
    "/v1/webhooks/{webhook_id}": {
        "delete": {
            "operationId": "deleteWebhook",
            "summary": "Remove a webhook",
            "parameters": [_id("webhook_id")],
            "responses": {"204": {"description": "It is gone, and its messages."}} | _refusals("401", "404", "503"),
        }
    },
    "/v1/webhooks/{webhook_id}/secret": {
        "post": {
            "operationId": "rotateWebhookSecret",
            "summary": "Change a webhook's secret",
            "parameters": [_id("webhook_id"), _KEY],
            "responses": {"200": _json("RotatedWebhook", "The new secret.")}
            | _refusals("401", "404", "409", "413", "422", "503"),
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

_WEBHOOKS: dict[str, Any] = {
    "run.finished": {
        "post": {
            "operationId": "onRunFinished",
            "summary": "A run has ended",
            "parameters": [
                _header("webhook-id", "The message; the same at each attempt.") | {"required": True},
                _header("webhook-timestamp", "Of the attempt, in Unix seconds.") | {"required": True},
                _header("webhook-signature", "`v1,` and the signature; after a rotation two, with a blank between.")
                | {"required": True},
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _ref("RunFinished")}},
            },
            "responses": {
                "2XX": {"description": "Received. Anything else is tried again later."},
                "410": {"description": "Send no more."},
            },
        }
    }
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
    "webhooks": _WEBHOOKS,
    "components": {
        "schemas": _SCHEMAS,
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    },
    "security": [{"token": []}],
}
