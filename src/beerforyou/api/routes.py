"""Every route, a row each: the app and the OpenAPI document are made of this table.

A new one is a handler, a row here, and a line in docs/reference/http.md. What all with a token, an id in the path or an
`Idempotency-Key` may answer besides, `Route` adds itself.
"""

from __future__ import annotations

from beerforyou.api import conversations, health, openapi, runs, webhooks
from beerforyou.api.openapi import KEY, STREAM, Header, Operation, Parameter, Reply, Route
from beerforyou.api.resources import AcceptedRun, CancelledRun, NewRun, RenamedConversation
from beerforyou.api.webhooks import NewWebhook, WebhookList
from beerforyou.conversations.messages import LARGEST_PAGE, PAGE, Conversation, ConversationList
from beerforyou.runs.run import Event, Run
from beerforyou.webhooks.registry import AddedWebhook, RotatedWebhook, RunFinished

_INCLUDE = Parameter("include", "query", "`steps` for the ledger.", {"enum": ["steps"]})
_LAST_EVENT = Parameter("Last-Event-ID", "header", "Continue after this event.", {"type": "integer", "minimum": 0})
_PREFER = Parameter("Prefer", "header", "`wait=20` answers when the run has ended, or after 20 seconds; at most 60.")
_KNOWN = Parameter("If-None-Match", "header", "The `etag` of the run as the caller has it.")

_LIMIT = Parameter(
    "limit", "query", "The size of a page.", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE}
)
_BEFORE_NUMBER = Parameter("before", "query", "From the page after this one.", {"type": "integer", "minimum": 0})
_BEFORE = Parameter("before", "query", "From the page before this one.")

_LOCATION = Header("location", "The run, or the conversation where a person answers.")
_ETAG = Header("etag", "Changes with the run.")
_YES = Reply(200, "It is.")

_CREATE = (
    "Returns as soon as the message is safe; the answer is made by a worker. Poll or follow the run; or send `Accept: text/event-stream`, "
    "and the answer is the stream of its events."
)
_STREAMED = "For `Accept: text/event-stream`: an event `accepted` with what 202 has, and then those of the run, as `/v1/runs/{run_id}/events` has them."
_EVENTS = (
    "Server-sent events. `id` is the event's number, which rises; `event` is started, tool_started, "
    "tool_finished, text, answer or finished; `data` is a JSON object. `text` is told as it is written and not again: whoever comes later "
    "reads the `answer`, which holds all of it. Another `started` says that the text before it is void, "
    "since the work was begun again. `finished` is the last."
)
_ALL_EVENTS = (
    "Server-sent events of all that happens in the conversation, until it is deleted. `id` is the event's number in it, which rises; what is "
    "under way in a run (started, tool_started, tool_finished, text) has none, and is not told again. "
    "`data` is a JSON object, with `run_id` where a run made the event. Besides the events of runs there are `message` (`message_id`, `role`: "
    "client or operator, `text`, and the `run_id` that will answer it, if any) and `state` (`state`: who answers from here on, bot or person)."
)
_DELIVERY = (
    "For each run of the client that ends, a message is posted to the address: `{type: run.finished, timestamp, data}`, where data is "
    "the run. It is signed after the Standard Webhooks specification, comes at least once, each time with the same `webhook-id`, and is "
    "tried for three days."
)

ROUTES = (
    Route(
        "POST /v1/runs",
        runs.create_run,
        id="createRun",
        summary="Send a message",
        description=_CREATE,
        parameters=(KEY,),
        body=NewRun,
        replies=(
            Reply(202, "Accepted.", AcceptedRun, (_LOCATION,)),
            Reply(200, _STREAMED, Event, media=STREAM),
        ),
        refusals=(403, 404, 429),
    ),
    Route(
        "GET /v1/runs/{run_id}",
        runs.get_run,
        id="getRun",
        summary="Look at a run",
        parameters=(_INCLUDE, _PREFER, _KNOWN),
        replies=(
            Reply(200, "The run as it stands.", Run, (_ETAG,)),
            Reply(304, "It is as the caller has it.", headers=(_ETAG,)),
        ),
        refusals=(400,),
    ),
    Route(
        "GET /v1/runs/{run_id}/events",
        runs.get_run_events,
        id="followRun",
        summary="Follow a run",
        parameters=(_LAST_EVENT,),
        replies=(Reply(200, _EVENTS, Event, media=STREAM),),
        refusals=(400,),
    ),
    Route(
        "POST /v1/runs/{run_id}/cancel",
        runs.cancel_run,
        id="cancelRun",
        summary="Cancel a run",
        description="Wherever it is worked on, it ends before its next step that costs.",
        parameters=(KEY,),
        replies=(Reply(202, "It will end.", CancelledRun), Reply(200, "It had ended before.", CancelledRun)),
    ),
    Route(
        "GET /v1/conversations",
        conversations.list_conversations,
        id="listConversations",
        summary="List the conversations",
        parameters=(_BEFORE, _LIMIT),
        replies=(Reply(200, "A page, newest first.", ConversationList),),
        refusals=(400,),
    ),
    Route(
        "GET /v1/conversations/{conversation_id}",
        conversations.get_conversation,
        id="getConversation",
        summary="Read a conversation",
        parameters=(_BEFORE_NUMBER, _LIMIT),
        replies=(Reply(200, "Its last messages, or those before a number, oldest first.", Conversation),),
        refusals=(400,),
    ),
    Route(
        "PATCH /v1/conversations/{conversation_id}",
        conversations.rename_conversation,
        id="renameConversation",
        summary="Rename a conversation",
        body=RenamedConversation,
        replies=(Reply(204, "It is."),),
    ),
    Route(
        "DELETE /v1/conversations/{conversation_id}",
        conversations.delete_conversation,
        id="deleteConversation",
        summary="Delete a conversation",
        description="With its messages, runs, steps and events. A run of it that is at work writes nothing more.",
        replies=(Reply(204, "It is gone."),),
    ),
    Route(
        "GET /v1/conversations/{conversation_id}/events",
        conversations.get_conversation_events,
        id="followConversation",
        summary="Follow a conversation",
        parameters=(_LAST_EVENT,),
        replies=(Reply(200, _ALL_EVENTS, Event, media=STREAM),),
        refusals=(400,),
    ),
    Route(
        "GET /v1/webhooks",
        webhooks.list_webhooks,
        id="listWebhooks",
        summary="List the webhooks",
        replies=(Reply(200, "Oldest first.", WebhookList),),
    ),
    Route(
        "POST /v1/webhooks",
        webhooks.create_webhook,
        id="createWebhook",
        summary="Be told when a run ends",
        description=_DELIVERY,
        parameters=(KEY,),
        body=NewWebhook,
        replies=(Reply(201, "The webhook, and its secret.", AddedWebhook),),
        refusals=(403,),
    ),
    Route(
        "DELETE /v1/webhooks/{webhook_id}",
        webhooks.delete_webhook,
        id="deleteWebhook",
        summary="Remove a webhook",
        replies=(Reply(204, "It is gone, and its messages."),),
    ),
    Route(
        "POST /v1/webhooks/{webhook_id}/secret",
        webhooks.rotate_webhook_secret,
        id="rotateWebhookSecret",
        summary="Change a webhook's secret",
        parameters=(KEY,),
        replies=(Reply(200, "The new secret.", RotatedWebhook),),
    ),
    Route("GET /openapi.json", openapi.describe, id="describe", summary="This document", replies=(_YES,), token=False),
    Route("GET /healthz", health.healthz, id="isAlive", summary="The process lives", replies=(_YES,), token=False),
    Route(
        "GET /readyz",
        health.readyz,
        id="isReady",
        summary="The process can do its work",
        replies=(_YES, Reply(503, "`down` names the servers that do not answer.")),
        token=False,
    ),
)

# What is posted to the clients' webhooks, by its type.
WEBHOOKS = {
    "run.finished": Operation(
        id="onRunFinished",
        summary="A run has ended",
        parameters=(
            Parameter("webhook-id", "header", "The message; the same at each attempt.", required=True),
            Parameter("webhook-timestamp", "header", "Of the attempt, in Unix seconds.", required=True),
            Parameter(
                "webhook-signature",
                "header",
                "`v1,` and the signature; after a rotation two, with a blank between.",
                required=True,
            ),
        ),
        body=RunFinished,
        replies=(
            Reply("2XX", "Received. Anything else is tried again later."),
            Reply(410, "Send no more."),
        ),
    )
}
