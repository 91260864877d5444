"""Who answers: the bot, or a person; an operator's messages; and what becomes of a conversation that is deleted."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from beerforyou.conversations.accepting import accept
from beerforyou.conversations.memory import Memory, remember
from beerforyou.conversations.messages import conversation, conversations, delete, rename
from beerforyou.conversations.state import hand_back, hand_over, say
from beerforyou.errors import BadInput, BadUsage, NotFound
from beerforyou.house import House
from beerforyou.runs.claim import Claim
from beerforyou.runs.looking import look
from beerforyou.webhooks import registry
from beerforyou.worker.worker import work, working
from tests.db.tables import tables_of_clients
from tests.worker.conftest import CLIENT, alone, quick
from tests.worker.test_worker import Held, ended

__all__ = ["alone", "quick"]


async def said(house: House, conversation_id: UUID) -> list[tuple[str, str]]:
    found = await conversation(house.database.as_client(CLIENT), conversation_id)
    return [(message.role, message.text) for message in found.messages]


async def told(house: House, conversation_id: UUID) -> list[tuple[str, dict[str, Any]]]:
    rows = await house.database.as_client(CLIENT).fetch("conversations.events", conversation_id, 0, 1000)
    return [(row["type"], msgspec.json.decode(row["data"])) for row in rows if row["number"]]


async def test_where_a_person_answers_the_bot_is_silent(quick: House) -> None:
    quick.model = Held()
    quick.model.go.set()
    async with working(quick):
        begun = await accept(quick, CLIENT, "brewpubs em Denver")
        await ended(quick, begun.run)
        await hand_over(quick, CLIENT, begun.conversation_id)
        for on_busy in ("enqueue", "reject", "interrupt"):
            accepted = await accept(quick, CLIENT, "tem alguém aí?", begun.conversation_id, on_busy=on_busy)
            assert (accepted.run_id, accepted.status, accepted.conversation_id) == (
                None,
                "person",
                begun.conversation_id,
            )
        await say(quick, CLIENT, begun.conversation_id, "Sou eu, a Ana.")
        await hand_back(quick, CLIENT, begun.conversation_id)
        again = await accept(quick, CLIENT, "e em Boulder?", begun.conversation_id)
        assert (await ended(quick, again.run)).status == "succeeded"
    assert await said(quick, begun.conversation_id) == [
        ("client", "brewpubs em Denver"),
        ("assistant", "Done."),
        *[("client", "tem alguém aí?")] * 3,
        ("operator", "Sou eu, a Ana."),
        ("client", "e em Boulder?"),
        ("assistant", "Done."),
    ]
    events = [(kind, data) for kind, data in await told(quick, begun.conversation_id) if kind in ("message", "state")]
    assert [data.get("role", data.get("state")) for _, data in events] == [
        *("client", "person", "client", "client", "client", "operator", "bot", "client")
    ]
    runs = [data["run_id"] for kind, data in events if kind == "message"]
    assert runs == [str(begun.run_id), None, None, None, None, str(again.run_id)]


async def test_a_run_that_waits_or_works_when_a_person_takes_over_ends(quick: House) -> None:
    quick.model = model = Held()
    async with working(quick):
        begun = await accept(quick, CLIENT, "brewpubs em Denver")
        waits = await accept(quick, CLIENT, "e em Boulder?", begun.conversation_id)
        await model.asked.wait()
        await hand_over(quick, CLIENT, begun.conversation_id)
        for accepted in (begun, waits):
            assert (await ended(quick, accepted.run)).status == "cancelled"
    assert [role for role, _ in await said(quick, begun.conversation_id)] == ["client", "client"]


async def test_a_run_that_hands_over_itself_says_goodbye(quick: House) -> None:
    quick.model = model = Held("Ana answers you soon.")
    async with working(quick):
        begun = await accept(quick, CLIENT, "brewpubs em Denver")
        waits = await accept(quick, CLIENT, "e em Boulder?", begun.conversation_id)
        await model.asked.wait()
        await hand_over(quick, CLIENT, begun.conversation_id, begun.run)
        model.go.set()
        assert (await ended(quick, begun.run)).text == "Ana answers you soon."
        assert (await ended(quick, waits.run)).status == "cancelled"


async def test_a_state_is_told_when_it_changes_and_only_then(quick: House) -> None:
    begun = await accept(quick, CLIENT, "oi")
    for hand in (hand_back, hand_over, hand_over, hand_back, hand_back):
        await hand(quick, CLIENT, begun.conversation_id)
    assert [kind for kind, _ in await told(quick, begun.conversation_id)] == ["message", "state", "state"]


async def test_a_message_and_a_person_who_takes_over_at_once_are_in_one_order(quick: House) -> None:
    """Whatever comes first: a run that nobody cancels is never left behind a person."""
    for _ in range(10):
        begun = await accept(quick, CLIENT, "oi")
        await asyncio.gather(
            hand_over(quick, CLIENT, begun.conversation_id),
            *(accept(quick, CLIENT, "e mais?", begun.conversation_id) for _ in range(3)),
        )
        reads = quick.database.as_client(CLIENT)
        found = await conversation(reads, begun.conversation_id)
        runs = [await look(reads, message.run_id) for message in found.messages if message.run_id]
        assert runs and all(run.cancel_at for run in runs)
        await delete(quick, CLIENT, begun.conversation_id)


async def test_an_operator_may_speak_beside_the_bot(quick: House) -> None:
    begun = await accept(quick, CLIENT, "oi")
    await say(quick, CLIENT, begun.conversation_id, " Bem\u202e-vindo\u200b! ")
    await work(quick, begun.run)
    assert [role for role, _ in await said(quick, begun.conversation_id)] == ["client", "operator", "assistant"]
    assert (await said(quick, begun.conversation_id))[1][1] == "Bem-vindo!"
    for senseless in ("", "  \n", "a\0b", "x" * 100_000):
        with pytest.raises(BadInput):
            await say(quick, CLIENT, begun.conversation_id, senseless)


@pytest.mark.parametrize(
    "act",
    [
        hand_over,
        hand_back,
        delete,
        lambda *who: say(*who, "oi"),
        lambda *who: rename(*who, "IPAs"),
    ],
    ids=["hand over", "hand back", "delete", "say", "rename"],
)
async def test_another_s_conversation_and_nobody_s_are_not_there(quick: House, act: Any) -> None:
    begun = await accept(quick, CLIENT, "oi")
    before = await said(quick, begun.conversation_id)
    for client, conversation_id in (("CLT-00004", begun.conversation_id), (CLIENT, uuid4())):
        with pytest.raises(NotFound):
            await act(quick, client, conversation_id)
    assert await said(quick, begun.conversation_id) == before
    await act(quick, CLIENT, begun.conversation_id)


async def left(house: House) -> dict[str, int]:
    """Rows in each table but those of clients; and keys of memories that hold something."""
    connection = await asyncpg.connect(house.settings.database_admin_url)
    try:
        kept = {"core.clients", "core.profiles", "core.webhooks", "core.idempotency_keys"}
        tables = [table for table in await tables_of_clients(connection) if table not in kept]
        counts = {
            table.removeprefix("core."): await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables
        }
    finally:
        await connection.close()
    keys = [key for key in await house.valkey("KEYS", "beerforyou:memory:*") if await house.valkey("GET", key)]
    return {table: count for table, count in counts.items() if count} | ({"memories": len(keys)} if keys else {})


async def test_deleting_leaves_nothing(quick: House) -> None:
    settings = replace(quick.settings, webhook_secret="a secret of the installation, long enough")
    await registry.add(quick.database, settings, CLIENT, "https://example.com/hook")
    begun = await accept(quick, CLIENT, "brewpubs em Denver")
    await work(quick, begun.run)
    other = await accept(quick, CLIENT, "oi")
    await work(quick, other.run)
    await accept(quick, CLIENT, "e em Boulder?", begun.conversation_id)
    await say(quick, CLIENT, begun.conversation_id, "Oi!")
    await hand_over(quick, CLIENT, begun.conversation_id)
    there = await left(quick)
    assert set(there) == {
        *("conversations", "open_runs", "ended_runs", "ledger", "said", "webhook_messages", "memories")
    }
    await delete(quick, CLIENT, begun.conversation_id)
    remains = await left(quick)
    assert remains.pop("webhook_messages") == 1, "that of the other conversation"
    assert remains == {"conversations": 1, "ended_runs": 1, "memories": 1}
    await delete(quick, CLIENT, other.conversation_id)
    assert await left(quick) == {}


async def test_a_run_at_work_writes_nothing_more_of_what_was_deleted(quick: House) -> None:
    quick.model = model = Held()
    async with working(quick):
        begun = await accept(quick, CLIENT, "brewpubs em Denver")
        await accept(quick, CLIENT, "e em Boulder?", begun.conversation_id)
        await model.asked.wait()
        await delete(quick, CLIENT, begun.conversation_id)
        model.go.set()
    assert await left(quick) == {}


async def test_a_memory_does_not_come_back_after_its_conversation(quick: House) -> None:
    """A worker is between the end of its run and remembering it while the conversation is deleted."""
    begun = await accept(quick, CLIENT, "oi")
    claim = Claim(run_id=begun.run, conversation_id=begun.conversation_id, client_id=CLIENT, fencing_token=1)
    await remember(claim, Memory(begun.run), quick.valkey, 60.0)
    assert "memories" in await left(quick)
    await delete(quick, CLIENT, begun.conversation_id)
    await remember(claim, Memory(begun.run), quick.valkey, 60.0)
    assert await left(quick) == {}


async def test_writers_and_a_deletion_at_once_leave_all_or_nothing(quick: House) -> None:
    for _ in range(10):
        begun = await accept(quick, CLIENT, "oi")
        jobs = (accept(quick, CLIENT, "e mais?", begun.conversation_id) for _ in range(4))
        results = await asyncio.gather(
            work(quick, begun.run), *jobs, delete(quick, CLIENT, begun.conversation_id), return_exceptions=True
        )
        assert not [r for r in results if isinstance(r, BaseException) and not isinstance(r, NotFound)]
    assert await left(quick) == {}


async def test_pages_of_messages_stay_as_they_were_while_others_arrive(quick: House) -> None:
    begun = await accept(quick, CLIENT, "0")
    await hand_over(quick, CLIENT, begun.conversation_id)
    for n in range(1, 25):
        await accept(quick, CLIENT, str(n), begun.conversation_id)
    reads = quick.database.as_client(CLIENT)
    page, texts = await conversation(reads, begun.conversation_id, most=10), list[str]()
    while True:
        texts = [message.text for message in page.messages] + texts
        await say(quick, CLIENT, begun.conversation_id, "meanwhile")
        if page.before is None:
            break
        page = await conversation(reads, begun.conversation_id, page.before, 10)
    assert texts == [str(n) for n in range(25)]
    assert (await conversation(reads, begun.conversation_id, before=1)).messages == []


async def test_the_list_is_newest_first_and_shows_none_twice(quick: House) -> None:
    quick.settings = replace(quick.settings, client_concurrency=100)
    begun = [(await accept(quick, CLIENT, f"first words of {n}")).conversation_id for n in range(12)]
    await accept(quick, CLIENT, "again", begun[3])
    await rename(quick, CLIENT, begun[5], "  IPAs do verão ")
    reads = quick.database.as_client(CLIENT)
    newest = [begun[3], *(each for each in reversed(begun) if each != begun[3])]
    page, seen = await conversations(reads, most=5), []
    while True:
        seen += page.conversations
        if page.before is None:
            break
        await accept(quick, CLIENT, "and again", begun[11])  # it was shown already, and moves to the first page
        page = await conversations(reads, page.before, 5)
    assert [each.conversation_id for each in seen] == newest
    by_id = {each.conversation_id: each for each in seen}
    assert (by_id[begun[5]].title, by_id[begun[4]].title) == ("IPAs do verão", "")
    assert by_id[begun[3]].first_words == "first words of 3"
    assert (await conversations(quick.database.as_client("CLT-00004"))).conversations == []


@pytest.mark.parametrize("place", ["x", "1", "-", "1-2", "99999999999999999-" + "0" * 33, "1-" + "g" * 32])
async def test_a_place_that_nobody_named_is_refused(quick: House, place: str) -> None:
    with pytest.raises(BadUsage):
        await conversations(quick.database.as_client(CLIENT), place)


@pytest.mark.parametrize("title", ["x" * 201, "two\nlines", "bell\a", "mirror \u202e", "null \0"])
async def test_a_title_that_makes_no_sense_is_refused(quick: House, title: str) -> None:
    begun = await accept(quick, CLIENT, "oi")
    with pytest.raises(BadInput):
        await rename(quick, CLIENT, begun.conversation_id, title)
    await rename(quick, CLIENT, begun.conversation_id, "IPAs 🍺")
    assert (await conversation(quick.database.as_client(CLIENT), begun.conversation_id)).title == "IPAs 🍺"
