"""`/v1/webhooks`, over HTTP."""

from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import standardwebhooks
from msgspec.structs import replace

from beerforyou.settings import Settings
from tests.api.conftest import NOBODYS, bearer
from tests.api.talking import Talker, asked, call, look, replica
from tests.waiting import wait_until
from tests.webhooks.test_delivery import Receiver, receiving

URL = {"url": "https://example.com/hook"}


@pytest.fixture
async def hooks(address: str, furnished: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """As a client who asks nothing, so that nothing is ever sent; its webhooks are gone afterwards."""
    async with aiohttp.ClientSession(address, headers=bearer(furnished, "CLT-00005")) as session:
        yield session
        for webhook in await listed(session):
            await session.delete(f"/v1/webhooks/{webhook['webhook_id']}")


async def listed(http: aiohttp.ClientSession) -> list[dict[str, Any]]:
    async with http.get("/v1/webhooks") as response:
        assert response.status == 200
        found: list[dict[str, Any]] = (await response.json())["webhooks"]
        return found


async def made(http: aiohttp.ClientSession, body: Any = URL, key: str | None = None, status: int = 201) -> Any:
    headers = {"idempotency-key": key} if key else {}
    async with http.post("/v1/webhooks", json=body, headers=headers) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def test_a_webhook_is_made_listed_and_removed(hooks: aiohttp.ClientSession) -> None:
    webhook = await made(hooks)
    assert webhook["url"] == URL["url"]
    prefix, secret = webhook.pop("secret").split("_")
    assert (prefix, len(b64decode(secret))) == ("whsec", 32)
    assert await listed(hooks) == [webhook]  # without the secret
    async with hooks.delete(f"/v1/webhooks/{webhook['webhook_id']}") as response:
        assert (response.status, await response.read()) == (204, b"")
    async with hooks.delete(f"/v1/webhooks/{webhook['webhook_id']}") as response:
        assert response.status == 404
    assert await listed(hooks) == []


async def test_a_new_secret_says_how_long_the_old_one_is_used(hooks: aiohttp.ClientSession) -> None:
    webhook = await made(hooks)
    async with hooks.post(f"/v1/webhooks/{webhook['webhook_id']}/secret") as response:
        assert response.status == 200
        rotated = await response.json()
    assert rotated["secret"].startswith("whsec_") and rotated["secret"] != webhook["secret"]
    left = datetime.fromisoformat(rotated["old_secret_until"]) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(hours=24)


async def test_a_repeated_request_does_it_once(hooks: aiohttp.ClientSession) -> None:
    key, other = str(uuid4()), str(uuid4())
    webhook = await made(hooks, key=key)
    assert await made(hooks, key=key) == webhook
    assert await listed(hooks) == [{k: v for k, v in webhook.items() if k != "secret"}]
    problem = await made(hooks, {"url": "https://example.com/another"}, key, 422)
    assert "Idempotency-Key" in problem["detail"]
    route, headers = f"/v1/webhooks/{webhook['webhook_id']}/secret", {"idempotency-key": other}
    secrets = []
    for _ in range(2):
        async with hooks.post(route, headers=headers) as response:
            secrets.append(await response.json())
    assert secrets[0] == secrets[1]


async def test_what_is_another_clients_does_not_exist(
    hooks: aiohttp.ClientSession, stranger: aiohttp.ClientSession
) -> None:
    webhook = await made(hooks)
    assert webhook["webhook_id"] not in [each["webhook_id"] for each in await listed(stranger)]
    async with stranger.delete(f"/v1/webhooks/{webhook['webhook_id']}") as response:
        assert response.status == 404
    async with stranger.post(f"/v1/webhooks/{webhook['webhook_id']}/secret") as response:
        assert response.status == 404
    assert len(await listed(hooks)) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "url"),
        ({"url": ""}, "url"),
        ({"url": "http://example.com/"}, "https"),
        ({"url": "https://127.0.0.1/"}, "public"),
        ({"url": "https://example.com/" + "a" * 2000}, "url"),
        ({"url": "https://example.com/", "client_id": "CLT-00002"}, "client_id"),
    ],
)
async def test_bad_input_is_told_what_and_where(hooks: aiohttp.ClientSession, body: Any, says: str) -> None:
    problem = await made(hooks, body, status=422)
    assert says in problem["detail"] and problem["hint"]
    assert await listed(hooks) == []


async def test_an_eleventh_is_refused(hooks: aiohttp.ClientSession) -> None:
    for n in range(10):
        await made(hooks, {"url": f"https://example.com/{n}"})
    assert "10 webhooks" in (await made(hooks, status=409))["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", f"/v1/webhooks/{NOBODYS}", 404),
        ("DELETE", "/v1/webhooks/one", 404),
        ("POST", f"/v1/webhooks/{NOBODYS}/secret", 404),
        ("PUT", "/v1/webhooks", 405),
    ],
)
async def test_what_is_not_there_is_a_problem_document(
    hooks: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    async with hooks.request(method, path) as response:
        assert (response.status, (await response.json())["status"]) == (status, status)


async def test_without_a_token_there_is_nothing(address: str) -> None:
    async with aiohttp.ClientSession(address) as nobody:
        for method, path in (
            ("GET", "/v1/webhooks"),
            ("POST", "/v1/webhooks"),
            ("DELETE", f"/v1/webhooks/{NOBODYS}"),
            ("POST", f"/v1/webhooks/{NOBODYS}/secret"),
        ):
            async with nobody.request(method, path) as response:
                assert response.status == 401


async def test_a_client_that_nobody_loaded_is_refused(address: str, furnished: Settings) -> None:
    async with aiohttp.ClientSession(address, headers=bearer(furnished, "CLT-99999")) as unknown:
        assert "CLT-99999" in (await made(unknown, status=403))["detail"]


async def test_a_client_with_nothing_but_the_library_learns_how_its_run_ended(settings: Settings) -> None:
    """From the address that it registers to the answer that it is told: HTTP, and `standardwebhooks`."""
    settings = replace(settings, webhook_networks="127.0.0.0/8")
    async with receiving(Receiver()) as receiver, replica(settings, Talker()) as here:
        made = (await call(here.mine, "POST", "/v1/webhooks", {"url": receiver.url})).body
        accepted = await asked(here.mine)

        async def told() -> bool:
            return bool(receiver.posts)

        await wait_until(told, "the receiver is told")
        shown = (await look(here.mine, accepted["run_id"])).body
        (post,) = receiver.posts
        message = standardwebhooks.Webhook(made["secret"]).verify(post.body, post.headers)
    assert (message["type"], message["data"]) == ("run.finished", shown)
    assert message["data"]["status"] == "succeeded" and message["data"]["text"]
