"""`/v1/conversations`: list, read, rename, delete, follow."""

from __future__ import annotations

from functools import partial

from beerforyou.api.exchange import Request, Response, Stream
from beerforyou.api.http import body, caller, house_of, path_id, reply
from beerforyou.api.resources import RenamedConversation
from beerforyou.api.streams import last_event, streamed
from beerforyou.conversations.messages import LARGEST_PAGE, PAGE, conversation, conversations, delete, rename
from beerforyou.errors import BadUsage


async def list_conversations(request: Request) -> Response:
    asker, most = await caller(request), _limit(request)
    reads = house_of(request).database.as_client(asker.client_id)
    found = await conversations(reads, request.query_params.get("before", ""), most)
    return reply(found, cache_control="no-store")


async def get_conversation(request: Request) -> Response:
    asker, most, before = await caller(request), _limit(request), _number(request, "before")
    reads = house_of(request).database.as_client(asker.client_id)
    found = await conversation(reads, path_id(request, "conversation_id"), before, most)
    return reply(found, cache_control="no-store")


async def rename_conversation(request: Request) -> Response:
    asker, conversation_id = await caller(request), path_id(request, "conversation_id")
    wanted, _ = await body(request, RenamedConversation)
    await rename(house_of(request), asker.client_id, conversation_id, wanted.title)
    return reply(None, 204)


async def delete_conversation(request: Request) -> Response:
    asker, conversation_id = await caller(request), path_id(request, "conversation_id")
    await delete(house_of(request), asker.client_id, conversation_id)
    return reply(None, 204)


async def get_conversation_events(request: Request) -> Stream:
    """Ids are the numbers of the events in the conversation; what a run made says which one did."""
    asker, after, house = await caller(request), last_event(request), house_of(request)
    conversation_id, reads = path_id(request, "conversation_id"), house.database.as_client(asker.client_id)
    return await streamed(request, partial(house.following.conversation, reads, conversation_id, after))


def _limit(request: Request) -> int:
    found = _number(request, "limit")
    if found is not None and not 1 <= found <= LARGEST_PAGE:
        raise BadUsage(f"limit: {found} is not from 1 to {LARGEST_PAGE}", f"leave it out for {PAGE}")
    return PAGE if found is None else found


def _number(request: Request, name: str) -> int | None:
    said = request.query_params.get(name)
    if said is None:
        return None
    if not (said.isascii() and said.isdigit() and len(said) <= 9):
        raise BadUsage(f"{name}: {said!r} is not a number", "give one such as 50, or leave it out")
    return int(said)
