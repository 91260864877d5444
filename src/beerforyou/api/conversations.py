"""`/v1/conversations`: what was said."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from beerforyou.api.http import caller, house_of, path_id, reply
from beerforyou.conversations.messages import conversation


async def get_conversation(request: Request) -> Response:
    asker = await caller(request)
    found = await conversation(
        house_of(request).database.as_client(asker.client_id), path_id(request, "conversation_id")
    )
    return reply(found, cache_control="no-store")
