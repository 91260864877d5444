"""`beerforyou webhooks`, as an operator types it."""

import json
from uuid import UUID, uuid4

import asyncpg
import pytest

from beerforyou.db.connections import operator
from beerforyou.settings import Settings
from tests.cli.program import Result, call

MINE, URL = "CLT-00001", "https://example.com/hook"


@pytest.fixture
async def one_client(settings: Settings) -> Settings:
    async with operator(settings) as connection:
        await connection.execute(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ($1, 'Bar', '', '', '', '', 'pt')",
            MINE,
        )
    return settings


async def webhooks(*args: str, settings: Settings) -> Result:
    result = await call("webhooks", *args, settings=settings)
    assert result.code == 0, result.err
    return result


async def add_a_dead_message(settings: Settings, webhook_id: str) -> UUID:
    """Of a run that ended."""
    connection = await asyncpg.connect(settings.database_admin_url)
    run_id, message_id = uuid4(), uuid4()
    await connection.execute("INSERT INTO core.conversations VALUES ($1, $2)", run_id, MINE)
    await connection.execute(
        "INSERT INTO core.ended_runs (run_id, conversation_id, client_id, message_id, asked, question, status, blocks, last_event,"
        " fencing_token, crashes, labels, versions, usage, decisions, created_at)"
        " VALUES ($1, $1, $2, $1, 1, 'oi', 'succeeded', '[]', 2, 1, 0, '{}', '{}', '{}', '[]', now())",
        run_id,
        MINE,
    )
    await connection.execute(
        "INSERT INTO core.webhook_messages (message_id, client_id, webhook_id, run_id, status, attempts, last_error) "
        "VALUES ($1, $2, $3, $4, 'dead', 10, 'answered 500: no')",
        message_id,
        MINE,
        UUID(webhook_id),
        run_id,
    )
    await connection.close()
    return message_id


async def test_a_webhook_from_first_to_last(one_client: Settings) -> None:
    assert (await webhooks("list", settings=one_client)).out == "There are no webhooks.\n"
    added = await webhooks("add", URL, "--as", MINE, settings=one_client)
    assert added.out.startswith("whsec_") and len(added.out.splitlines()) == 1  # what a script would keep
    (webhook,) = json.loads((await webhooks("list", "--json", settings=one_client)).out)
    assert (webhook["client_id"], webhook["url"], webhook["waiting"]) == (MINE, URL, 0)
    assert webhook["webhook_id"] in added.err
    rotated = json.loads(
        (await webhooks("rotate", webhook["webhook_id"], "--as", MINE, "--json", settings=one_client)).out
    )
    assert rotated["secret"] != added.out.strip() and rotated["old_secret_until"]
    await webhooks("remove", webhook["webhook_id"], "--as", MINE, settings=one_client)
    assert json.loads((await webhooks("list", "--json", settings=one_client)).out) == []


async def test_what_was_given_up_is_seen_and_sent_again(one_client: Settings) -> None:
    assert (await webhooks("dead", settings=one_client)).out == "No message was given up.\n"
    assert (await webhooks("resend", "--dead", settings=one_client)).out == "There is nothing to send again.\n"
    webhook = json.loads((await webhooks("add", URL, "--as", MINE, "--json", settings=one_client)).out)
    message_id = await add_a_dead_message(one_client, webhook["webhook_id"])
    shown = (await webhooks("dead", "--as", MINE, settings=one_client)).out
    assert f"msg_{message_id.hex}" in shown and "10 attempts: answered 500: no" in shown
    assert "0 waiting, 0 delivered, 1 dead" in (await webhooks("list", settings=one_client)).out
    other = await webhooks("resend", "--dead", "--as", "CLT-00002", "--json", settings=one_client)
    assert json.loads(other.out) == {"resent": 0}
    assert (await webhooks("resend", "--dead", settings=one_client)).out == "1 to be sent again.\n"
    again = await webhooks("resend", f"msg_{message_id.hex}", str(uuid4()), settings=one_client)
    assert again.out == "There is nothing to send again.\n" and "2 of them" in again.err
    assert "1 waiting, 0 delivered, 0 dead" in (await webhooks("list", settings=one_client)).out


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["add", URL], 2, "--as"),
        (["add", "http://example.com", "--as", MINE], 1, "https"),
        (["add", URL, "--as", "CLT-99999"], 1, "CLT-99999"),
        (["remove", str(UUID(int=1)), "--as", MINE], 1, "no webhook"),
        (["remove", "one", "--as", MINE], 2, "one"),
        (["rotate", str(UUID(int=1)), "--as", MINE], 1, "no webhook"),
        (["resend"], 2, "--dead"),
        (["resend", "msg_1"], 2, "msg_1"),
        (["resend", str(UUID(int=1)), "--dead"], 2, "--dead"),
    ],
)
async def test_what_does_not_work_is_said(one_client: Settings, args: list[str], code: int, says: str) -> None:
    result = await call("webhooks", *args, settings=one_client)
    assert (result.code, result.out) == (code, "")
    assert says in result.err
