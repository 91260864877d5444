"""A client that knows nothing but /openapi.json: what the document says is what the API does."""

import json
import re
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import aiohttp
import pytest
from jsonschema import Draft202012Validator, ValidationError

from beerforyou.api.tokens import mint
from beerforyou.conversations.state import hand_over
from beerforyou.settings import Settings
from tests.api.conftest import MINE
from tests.api.talking import ASK, Held, ServerSent, kept, replica, rise, server_sent

STREAM = "text/event-stream"


class Operation(NamedTuple):
    id: str
    method: str
    path: str
    said: dict[str, Any]


class Described(NamedTuple):
    """An answer that is as the document has it; the body is JSON, or a list of server-sent events."""

    status: int
    headers: dict[str, str]
    body: Any


class Client:
    """Calls operations by id, or whatever an URL of the API's own leads to. All that is sent and comes is held against the
    document."""

    def __init__(self, http: aiohttp.ClientSession, document: dict[str, Any], token: str) -> None:
        self._http, self._document, self._token = http, document, token
        for schema in document["components"]["schemas"].values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)  # nothing comes that is not described
        self.operations = {
            said["operationId"]: Operation(said["operationId"], method, path, said)
            for path, methods in document["paths"].items()
            for method, said in methods.items()
        }

    async def call(self, operation_id: str, body: Any = None, media: str = "*/*", **values: Any) -> Described:
        """`values` are parameters by name, with underscores for what a name of Python's cannot have. `media` is accepted."""
        operation = self.operations[operation_id]
        sent = self._parameters(operation, values)
        headers = {"accept": media} | sent["header"] | self._security(operation) | self._content(operation, body)
        url = operation.path.format(**sent["path"])
        data = None if body is None else json.dumps(body)
        async with self._http.request(
            operation.method, url, params=sent["query"], headers=headers, data=data
        ) as response:
            return await self._answer(operation, response)

    async def at(self, url: str, **values: Any) -> Described:
        """GET, of an address that an answer named."""
        for operation in self.operations.values():
            names = re.findall(r"{(\w+)}", operation.path)
            found = re.fullmatch(re.sub(r"{\w+}", "([^/]+)", operation.path), url)
            if found and operation.method == "get":
                return await self.call(operation.id, **dict(zip(names, found.groups(), strict=True)), **values)
        raise AssertionError(f"{url} is not in the document")

    def _parameters(self, operation: Operation, values: dict[str, Any]) -> dict[str, dict[str, str]]:
        sent: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
        for parameter in operation.said.get("parameters", []):
            name = parameter["name"]
            value = values.pop(re.sub(r"\W", "_", name).lower(), None)
            if value is not None:
                self._check(value, parameter["schema"])
                sent[parameter["in"]][name] = str(value)
            assert value is not None or not parameter.get("required"), f"{operation.id} needs {name}"
        assert not values, f"{operation.id} knows no {', '.join(values)}"
        return sent

    def _security(self, operation: Operation) -> dict[str, str]:
        wanted = operation.said.get("security", self._document["security"])
        schemes = [self._document["components"]["securitySchemes"][name] for each in wanted[:1] for name in each]
        assert all((scheme["type"], scheme["scheme"]) == ("http", "bearer") for scheme in schemes)
        return {"authorization": f"Bearer {self._token}"} if schemes and self._token else {}

    def _content(self, operation: Operation, body: Any) -> dict[str, str]:
        described = operation.said.get("requestBody", {"required": False, "content": {}})
        assert body is not None or not described["required"], f"{operation.id} needs a body"
        if body is None:
            return {}
        self._check(body, described["content"]["application/json"]["schema"])
        return {"content-type": "application/json"}

    async def _answer(self, operation: Operation, response: aiohttp.ClientResponse) -> Described:
        described = operation.said["responses"][str(response.status)]
        headers = {name.lower(): value for name, value in response.headers.items()}
        for name, header in described.get("headers", {}).items():
            whole = header["schema"]["type"] == "integer"
            self._check(int(headers[name]) if whole else headers[name], header["schema"])
        if "content" not in described:  # it says nothing of it
            return Described(response.status, headers, await response.read())
        schema = described["content"][response.content_type]["schema"]
        if response.content_type == STREAM:
            return Described(response.status, headers, [event async for event in server_sent(response.content)])
        body = await response.json(content_type=None)
        self._check(body, schema)
        return Described(response.status, headers, body)

    def event(self, sent: ServerSent) -> None:
        """Holds an event against what the document says in words: id, event and data are the fields of an Event."""
        event = {"seq": sent.id, "type": sent.event, "data": sent.data}
        self._check(event, {"$ref": "#/components/schemas/Event"})

    def _check(self, value: Any, schema: dict[str, Any]) -> None:
        """Raises ValidationError. References lead into the document."""
        checker = Draft202012Validator.FORMAT_CHECKER
        whole = schema | {"components": self._document["components"]}
        Draft202012Validator(whole, format_checker=checker).validate(value)


async def described(http: aiohttp.ClientSession, token: str) -> Client:
    async with http.get("/openapi.json") as response:
        return Client(http, await response.json(), token)


@pytest.fixture
async def client(http: aiohttp.ClientSession, furnished: Settings) -> Client:
    return await described(http, mint(furnished, MINE, 60))


async def test_a_message_is_sent_followed_and_read(client: Client) -> None:
    accepted = await client.call("createRun", ASK, idempotency_key=str(uuid4()))
    assert accepted.status == 202
    events = (await client.at(accepted.body["events"])).body
    for event in events:
        client.event(event)
    assert rise(event.id for event in events)
    assert (events[0].event, events[-1].event) == ("started", "finished")
    run = await client.at(accepted.headers["location"], include="steps")
    assert (run.body["status"], run.body["outcome"]) == (events[-1].data["status"], events[-1].data["outcome"])
    answer = next(event.data for event in events if event.event == "answer")
    assert answer == {"text": run.body["text"], "blocks": run.body["blocks"]}
    conversation = await client.call("getConversation", conversation_id=accepted.body["conversation_id"])
    assert [message["text"] for message in conversation.body["messages"]] == [ASK["message"], run.body["text"]]


async def test_following_goes_on_after_an_event(client: Client) -> None:
    accepted = await client.call("createRun", ASK)
    events = (await client.at(accepted.body["events"])).body
    rest = await client.at(accepted.body["events"], last_event_id=events[0].id)
    assert rest.body == kept(events[1:])


async def test_the_answer_may_be_the_stream(client: Client) -> None:
    key = str(uuid4())
    answer = await client.call("createRun", ASK, STREAM, idempotency_key=key)
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, STREAM)
    accepted, *events = answer.body
    assert (accepted.id, accepted.event) == (0, "accepted")
    for event in events:
        client.event(event)
    again = await client.call("createRun", ASK, idempotency_key=key)
    assert (again.status, again.body) == (202, accepted.data)
    assert (await client.at(accepted.data["events"])).body == kept(events)


async def test_a_run_is_polled_until_it_ends(client: Client) -> None:
    accepted = await client.call("createRun", ASK)
    run = await client.at(accepted.headers["location"])
    while run.body["finished_at"] is None:
        tag, status = run.headers["etag"], 304
        while status == 304:
            again = await client.at(accepted.headers["location"], prefer="wait=20", if_none_match=tag)
            status = again.status
        run = again
    assert run.body["status"] == "succeeded"
    same = await client.at(accepted.headers["location"], if_none_match=run.headers["etag"])
    assert (same.status, same.headers["etag"]) == (304, run.headers["etag"])


async def test_conversations_are_listed_renamed_read_followed_and_deleted(settings: Settings) -> None:
    async with replica(settings, works=False) as here:
        client = await described(here.mine, mint(settings, MINE, 60))
        (first, second) = [(await client.call("createRun", ASK)).body["conversation_id"] for _ in range(2)]
        assert (await client.call("renameConversation", {"title": "IPAs"}, conversation_id=first)).status == 204
        listed = (await client.call("listConversations", limit=1)).body
        rest = (await client.call("listConversations", before=listed["before"])).body
        assert [each["title"] for each in listed["conversations"] + rest["conversations"]] == ["", "IPAs"]
        read = (await client.call("getConversation", conversation_id=first, limit=1)).body
        assert (read["title"], read["messages"][0]["text"], read["last_event"]) == ("IPAs", ASK["message"], 1)
        assert (await client.call("deleteConversation", conversation_id=first)).status == 204
        for operation in ("getConversation", "followConversation", "deleteConversation"):
            assert (await client.call(operation, conversation_id=first)).status == 404
        await hand_over(here.house, MINE, UUID(second))
        told = await client.call("createRun", ASK | {"conversation_id": second})
        assert (told.status, told.body["run_id"], told.body["status"]) == (202, None, "person")
        path = f"/v1/conversations/{second}"
        assert (told.headers["location"], told.body["events"]) == (path, f"{path}/events")


async def test_a_run_is_cancelled(settings: Settings) -> None:
    async with replica(settings, model := Held()) as here:
        client = await described(here.mine, mint(settings, MINE, 60))
        accepted = await client.call("createRun", ASK)
        await model.asked.wait()
        run_id = accepted.body["run_id"]
        assert (await client.call("cancelRun", run_id=run_id)).body["status"] == "cancelling"
        assert (await client.at(accepted.body["events"])).body[-1].data["status"] == "cancelled"
        assert (await client.call("cancelRun", run_id=run_id)).body["status"] == "cancelled"
        assert (await client.call("getRun", run_id=run_id)).body["status"] == "cancelled"


async def test_refusals_are_described(settings: Settings) -> None:
    async with replica(settings, works=False, client_concurrency=1) as here:
        client = await described(here.mine, mint(settings, MINE, 60))
        key = str(uuid4())
        accepted = await client.call("createRun", ASK, idempotency_key=key)
        run_id, nobodys = accepted.body["run_id"], str(uuid4())
        answers = [
            await client.call("createRun", ASK),
            await client.call("createRun", {"message": " "}),
            await client.call("createRun", {"message": "oi", "conversation_id": nobodys}),
            await client.call("createRun", {"message": "another"}, idempotency_key=key),
            await client.call("createRun", {"message": "a" * 100_000}),
            await client.call("cancelRun", run_id=run_id, idempotency_key=key),
            await client.call("cancelRun", run_id=nobodys),
            await client.call("getRun", run_id=nobodys),
            await client.call("followRun", run_id=nobodys),
            await client.call("followRun", run_id=run_id, last_event_id=10**12),
            await client.call("getConversation", conversation_id=nobodys),
        ]
        stranger = await described(here.mine, mint(settings, "CLT-99999", 60))
        answers.append(await stranger.call("createRun", ASK))
    assert [answer.status for answer in answers] == [429, 422, 404, 422, 413, 422, 404, 404, 404, 400, 404, 403]
    assert [answer.body["status"] for answer in answers] == [answer.status for answer in answers]


async def test_the_document_refuses_what_the_api_does(client: Client) -> None:
    for body in (
        {},
        {"message": ""},
        {"message": "oi", "on_busy": "shout"},
        {"message": "oi", "client_id": "CLT-00002"},
    ):
        with pytest.raises(ValidationError):
            await client.call("createRun", body)
    with pytest.raises(ValidationError):
        await client.call("getRun", run_id=str(UUID(int=1)), include="nothing")


async def test_what_is_described_exists_and_is_guarded(address: str, client: Client) -> None:
    """Without a token, each operation says 401, except for those that the document says need none."""
    async with aiohttp.ClientSession(address) as anybody:
        nobody = await described(anybody, "")
        for operation in nobody.operations.values():
            ids = dict.fromkeys(re.findall(r"{(\w+)}", operation.path), str(uuid4()))
            body = {
                "createRun": ASK,
                "createWebhook": {"url": "https://example.com/"},
                "renameConversation": {"title": "x"},
            }.get(operation.id)
            answer = await nobody.call(operation.id, body, **ids)
            assert answer.status == (200 if operation.said.get("security") == [] else 401), operation.id
