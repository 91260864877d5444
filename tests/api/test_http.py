"""The promises of the HTTP API, over HTTP."""

import asyncio
import json
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import aiohttp
import asyncpg
import pytest
from openapi_spec_validator import validate

from beerforyou.api.routes import ROUTES
from beerforyou.settings import Settings
from tests.api.conftest import NOBODYS, bearer

ASK = {"message": "Cervejarias em San Diego"}


async def asked(http: aiohttp.ClientSession, body: Any = ASK) -> dict[str, Any]:
    async with http.post("/v1/runs", json=body) as response:
        assert response.status == 202, await response.text()
        accepted: dict[str, Any] = await response.json()
        assert response.headers["location"] == f"/v1/runs/{accepted['run_id']}"
        return accepted


async def followed(http: aiohttp.ClientSession, run_id: str, after: int | None = None) -> list[dict[str, Any]]:
    headers = {"last-event-id": str(after)} if after is not None else {}
    async with http.get(f"/v1/runs/{run_id}/events", headers=headers) as response:
        assert response.content_type == "text/event-stream"
        text = await asyncio.wait_for(response.text(), 30)
    fields = [
        dict(line.split(": ", 1) for line in part.splitlines()) for part in text.split("\n\n") if part.startswith("id")
    ]
    return [{"id": int(f["id"]), "event": f["event"], "data": json.loads(f["data"])} for f in fields]


def rise(numbers: Iterable[int]) -> bool:
    """There may be gaps: a worker that died may have used some."""
    return all(earlier < later for earlier, later in pairwise([0, *numbers]))


async def test_a_question_is_accepted_followed_and_answered(http: aiohttp.ClientSession) -> None:
    accepted = await asked(http)
    events = await followed(http, accepted["run_id"])
    assert rise(event["id"] for event in events)
    assert (events[0]["event"], events[-1]["event"]) == ("started", "finished")
    answer = next(event["data"] for event in events if event["event"] == "answer")
    async with http.get(f"/v1/runs/{accepted['run_id']}?include=steps") as response:
        run = await response.json()
    assert (run["status"], run["outcome"]) == ("succeeded", "answered")
    assert answer == {"text": run["text"], "blocks": run["blocks"]}
    assert [step["seq"] for step in run["steps"]] == list(range(1, len(run["steps"]) + 1))


async def test_a_run_can_be_followed_again_from_any_event(http: aiohttp.ClientSession) -> None:
    """But for the text, which is told as it is written; the answer has all of it."""
    accepted = await asked(http)
    events = await followed(http, accepted["run_id"])
    for seen in range(events[-1]["id"] + 1):
        kept = [event for event in events if event["id"] > seen and event["event"] != "text"]
        assert await followed(http, accepted["run_id"], seen) == kept


async def test_a_conversation_goes_on(http: aiohttp.ClientSession) -> None:
    first = await asked(http)
    await followed(http, first["run_id"])
    second = await asked(http, {"message": "a segunda", "conversation_id": first["conversation_id"]})
    await followed(http, second["run_id"])
    async with http.get(f"/v1/conversations/{first['conversation_id']}") as response:
        messages = (await response.json())["messages"]
    assert [message["role"] for message in messages] == ["client", "assistant", "client", "assistant"]
    listed = next(block for block in messages[1]["blocks"] if block["type"] == "brewery_list")
    card = next(block for block in messages[3]["blocks"] if block["type"] == "brewery")
    assert card["brewery_id"] == listed["breweries"][1]["brewery_id"]


async def test_what_is_another_clients_does_not_exist(
    http: aiohttp.ClientSession, stranger: aiohttp.ClientSession
) -> None:
    mine = await asked(http)
    await followed(http, mine["run_id"])
    routes = [
        f"/v1/runs/{mine['run_id']}",
        f"/v1/runs/{mine['run_id']}/events",
        f"/v1/conversations/{mine['conversation_id']}",
    ]
    for route in routes:
        async with http.get(route) as response:
            assert response.status == 200
        async with stranger.get(route) as response:
            assert response.status == 404
    body = ASK | {"conversation_id": mine["conversation_id"]}
    async with stranger.post("/v1/runs", json=body) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"message": ""}, 422, "message"),
        ({"message": " \n\t "}, 422, "empty"),
        ({"message": "a" * 50_000}, 422, "4000"),
        ({"message": "a" * 100_000}, 413, "65536"),
        ({"message": "NUL \0 inside"}, 422, "U+0000"),
        ({"message": "bell \a inside"}, 422, "U+0007"),
        ({"message": 5}, 422, "message"),
        ({}, 422, "message"),
        ([], 422, "object"),
        ({"message": "oi", "client_id": "CLT-00002"}, 422, "client_id"),
        ({"message": "oi", "conversation_id": "not an id"}, 422, "conversation_id"),
        ({"message": "oi", "conversation_id": NOBODYS}, 404, "conversation"),
    ],
)
async def test_bad_input_is_told_what_and_where(http: aiohttp.ClientSession, body: Any, status: int, says: str) -> None:
    async with http.post("/v1/runs", json=body) as response:
        problem = await response.json()
        assert response.content_type == "application/problem+json"
    assert (response.status, problem["status"]) == (status, status)
    assert says in problem["detail"]
    assert problem["hint"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"message": "\\ud800"}'])
async def test_what_is_not_json_is_refused(http: aiohttp.ClientSession, body: bytes) -> None:
    async with http.post("/v1/runs", data=body) as response:
        assert response.status == 422


async def test_a_refused_message_leaves_nothing_behind(http: aiohttp.ClientSession, house: Any) -> None:
    admin = await asyncpg.connect(house.settings.database_admin_url)
    for refused in ("NUL \0", "a" * 5000):
        async with http.post("/v1/runs", json={"message": refused}) as response:
            assert response.status == 422
        assert await admin.fetchval("SELECT count(*) FROM core.messages WHERE text = $1", refused.strip("\0")) == 0
    await admin.close()


async def test_without_a_good_token_there_is_nothing(address: str, furnished: Settings) -> None:
    async with aiohttp.ClientSession(address) as nobody:
        for headers in (
            {},
            {"authorization": "Basic abc"},
            {"authorization": "Bearer"},
            {"authorization": "Bearer x.y.z"},
        ):
            async with nobody.post("/v1/runs", json=ASK, headers=headers) as response:
                assert response.status == 401
                assert response.headers["www-authenticate"] == "Bearer"
        for headers in (bearer(furnished, "CLT-00001", -60), bearer(Settings(auth_secret="x" * 40), "CLT-00001")):
            async with nobody.post("/v1/runs", json=ASK, headers=headers) as response:
                assert response.status == 401


async def test_a_client_that_nobody_loaded_is_refused(address: str, furnished: Settings) -> None:
    unknown = aiohttp.ClientSession(address, headers=bearer(furnished, "CLT-99999"))
    async with unknown as session, session.post("/v1/runs", json=ASK) as response:
        assert response.status == 403
        assert "CLT-99999" in (await response.json())["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/v1/runs/{NOBODYS}", 404),
        ("GET", "/v1/runs/one", 404),
        ("GET", f"/v1/runs/{NOBODYS}/events", 404),
        ("GET", f"/v1/conversations/{NOBODYS}", 404),
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/runs", 405),
    ],
)
async def test_what_is_not_there_is_a_problem_document(
    http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    async with http.request(method, path) as response:
        assert response.status == status
        assert (await response.json())["status"] == status


async def test_a_nonsensical_event_id_is_refused(http: aiohttp.ClientSession) -> None:
    accepted = await asked(http)
    for wrong in ("-1", "one", "1e9", "9" * 30):
        async with http.get(f"/v1/runs/{accepted['run_id']}/events", headers={"last-event-id": wrong}) as response:
            assert response.status == 400


async def test_the_description_is_valid(http: aiohttp.ClientSession) -> None:
    async with http.get("/openapi.json") as response:
        validate(await response.json())


async def test_health(http: aiohttp.ClientSession) -> None:
    for path in ("/healthz", "/readyz"):
        async with http.get(path) as response:
            assert response.status == 200


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
async def test_a_wrong_method_says_which_are_right(http: aiohttp.ClientSession, path: str) -> None:
    right = {route.method for route in ROUTES if route.path == path}
    async with http.request("OPTIONS", path.format(**dict.fromkeys(re.findall(r"{(\w+)}", path), NOBODYS))) as response:
        assert response.status == 405
        assert set(response.headers["allow"].split(", ")) - {"HEAD"} == right
        assert (await response.json())["type"] == "urn:beerforyou:problem:method-not-allowed"
