"""`/v1/webhooks`: where a client wants to be told that a run has ended."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from beerforyou.api.exchange import Request, Response
from beerforyou.api.http import body, caller, house_of, no_body, path_id, reply
from beerforyou.webhooks import registry
from beerforyou.webhooks.addresses import LONGEST_URL
from beerforyou.webhooks.registry import Webhook


class NewWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An https address. A signed message is posted to it for each run that ends."""

    url: Annotated[str, Meta(min_length=1, max_length=LONGEST_URL)]


class WebhookList(msgspec.Struct, frozen=True, kw_only=True):
    webhooks: list[Webhook]


async def create_webhook(request: Request) -> Response:
    asker = await caller(request)
    new, asked = await body(request, NewWebhook)
    house = house_of(request)
    added = await registry.add(house.database, house.settings, asker.client_id, new.url, asked)
    return reply(added, 201, cache_control="no-store")


async def list_webhooks(request: Request) -> Response:
    asker = await caller(request)
    found = await registry.listed(house_of(request).database, asker.client_id)
    return reply(WebhookList(webhooks=found), cache_control="no-store")


async def delete_webhook(request: Request) -> Response:
    asker = await caller(request)
    await registry.remove(house_of(request).database, asker.client_id, path_id(request, "webhook_id"))
    return reply(None, 204)


async def rotate_webhook_secret(request: Request) -> Response:
    asker = await caller(request)
    house, webhook_id, asked = house_of(request), path_id(request, "webhook_id"), await no_body(request)
    rotated = await registry.rotate(house.database, house.settings, asker.client_id, webhook_id, asked)
    return reply(rotated, cache_control="no-store")
