"""The outbox reaches its receivers: at least once, under one id, whatever they or the senders do."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import chain, repeat
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace
from standardwebhooks import Webhook, WebhookVerificationError

from beerforyou.db.connections import operator
from beerforyou.db.database import Database, connect
from beerforyou.errors import Conflict, NotAllowed, NotFound
from beerforyou.house import opened
from beerforyou.runs.idempotency import Asked
from beerforyou.runs.looking import look
from beerforyou.settings import Settings
from beerforyou.webhooks import delivery as posting
from beerforyou.webhooks import registry as webhooks
from beerforyou.webhooks.delivery import LATE, PER_CLIENT, QUICK, SCHEDULE, SLOW_PER_CLIENT, Postman
from beerforyou.webhooks.signing import message_name
from tests.waiting import wait_until

MINE, THEIRS = "CLT-00001", "CLT-00002"
AT_ONCE = (0.0,) * len(SCHEDULE)


class Post(NamedTuple):
    id: str
    headers: dict[str, str]
    body: bytes

    def signed_with(self, secret: str) -> bool:
        try:
            Webhook(secret).verify(self.body, self.headers)
        except WebhookVerificationError:
            return False
        return True


class Receiver:
    """Answers with these statuses, the last of them for ever; what it gets is in `posts`."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None, silent: bool = False) -> None:
        self.statuses: Iterator[int] = chain(statuses[:-1], repeat(statuses[-1] if statuses else 200))
        self.headers, self.silent, self.posts, self.url = headers, silent, list[Post](), ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.posts.append(Post(headers["webhook-id"], headers, await request.read()))
        if self.silent:
            await asyncio.sleep(60)
        return web.Response(status=next(self.statuses), headers=self.headers, text="what the receiver says")


@asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[Receiver]:
    runner = web.ServerRunner(web.Server(receiver.handle, handler_cancellation=True))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@pytest.fixture
async def local(settings: Settings) -> Settings:
    """Two clients; receivers are on loopback."""
    async with operator(settings) as connection:
        await connection.executemany(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ($1, 'Bar', '', '', '', '', 'pt')",
            [(MINE,), (THEIRS,)],
        )
    return replace(settings, webhook_networks="127.0.0.0/8", webhook_timeout_s=5.0)


@pytest.fixture
async def db(local: Settings) -> AsyncIterator[Database]:
    database = await connect(local)
    yield database
    await database.close()


@pytest.fixture
async def admin(local: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(local.database_admin_url)
    yield connection
    await connection.close()


@asynccontextmanager
async def postman(db: Database, settings: Settings, **more: Any) -> AsyncIterator[Postman]:
    made = Postman(db, settings, **{"schedule": AT_ONCE} | more)
    try:
        yield made
    finally:
        await made.close()


async def add(db: Database, settings: Settings, receiver: Receiver, client: str = MINE) -> webhooks.AddedWebhook:
    return await webhooks.add(db, settings, client, receiver.url)


async def finish_a_run(db: Database, client: str = MINE) -> UUID:
    accepted = await db.batch.write("conversations.accept", None, client, "oi", [], "enqueue", 1000, None, b"", None)
    run_id = accepted["run_id"]
    claimed = await db.batch.write("runs.claim", run_id, "a worker", 30.0, None)
    said = "Olá, cervejeiro."
    answer = ("succeeded", "answered", said, json.dumps([{"type": "text", "text": said}]), "null")
    made_of = ([f"client:{client}"], '{"model": "offline:"}', '{"input_tokens": 3}', "[]", "{}")
    held = (accepted["conversation_id"], run_id, claimed["fencing_token"])
    finished = await db.batch.write("runs.finish", *held, 1, None, "[]", 3, *answer, *made_of)
    assert finished["held"]
    return UUID(str(run_id))


async def until(done: Callable[[], Any], what: str, seconds: float = 10.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if done():
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"not in {seconds} s: {what}")


async def statuses(admin: asyncpg.Connection) -> list[str]:
    rows = await admin.fetch("SELECT status FROM core.webhook_messages ORDER BY message_id")
    return [row["status"] for row in rows]


async def due(db: Database, lease_s: float) -> list[asyncpg.Record]:
    """As a sender takes them that has nothing under way."""
    return await db.batch.alone("webhooks.due", lease_s, 50, 50, PER_CLIENT, SLOW_PER_CLIENT, [], [], [], [])


async def delivered(sender: Postman) -> int:
    taken = await sender.deliver_due()
    await sender.drained()
    return taken


async def test_a_finished_run_is_told_once_and_signed(db: Database, local: Settings, admin: asyncpg.Connection) -> None:
    async with receiving(Receiver(204)) as receiver, postman(db, local) as sender:
        webhook = await add(db, local, receiver)
        run_id = await finish_a_run(db)
        assert await delivered(sender) == 1
        assert await delivered(sender) == 0
        (post,) = receiver.posts
    assert post.signed_with(webhook.secret) and post.id.startswith("msg_")
    message = json.loads(post.body)
    assert (message["type"], message["data"]["run_id"]) == ("run.finished", str(run_id))
    assert message["timestamp"] == message["data"]["finished_at"]
    async with opened(local) as house:
        shown = await look(house.database.as_client(MINE), run_id)
    assert message["data"] == json.loads(msgspec.json.encode(shown))  # what GET /v1/runs/{run_id} answers
    assert message["data"]["text"] == "Olá, cervejeiro."
    assert await statuses(admin) == ["delivered"]


async def test_each_client_is_told_of_its_own_runs(db: Database, local: Settings) -> None:
    async with receiving(Receiver()) as mine, receiving(Receiver()) as theirs, postman(db, local) as sender:
        await add(db, local, mine)
        await add(db, local, theirs, THEIRS)
        run_id = await finish_a_run(db)
        assert await delivered(sender) == 1
    assert [json.loads(post.body)["data"]["run_id"] for post in mine.posts] == [str(run_id)]
    assert theirs.posts == []


async def test_what_fails_is_sent_again_as_it_was(db: Database, local: Settings, admin: asyncpg.Connection) -> None:
    async with receiving(Receiver(500, 302, 404, 200)) as receiver, postman(db, local) as sender:
        webhook = await add(db, local, receiver)
        await finish_a_run(db)
        for _ in range(6):
            await delivered(sender)
    assert len(receiver.posts) == 4
    assert len({(post.id, post.body) for post in receiver.posts}) == 1
    assert all(post.signed_with(webhook.secret) for post in receiver.posts)
    assert await statuses(admin) == ["delivered"]


async def test_a_receiver_that_comes_up_late_is_told(db: Database, local: Settings) -> None:
    receiver = Receiver()
    async with receiving(receiver):
        await add(db, local, receiver)
    await finish_a_run(db)
    async with postman(db, local) as sender:
        assert await delivered(sender) == 1  # nobody listens there now
        async with receiving(Receiver()) as later:
            await _move(db, local, later)
            assert await delivered(sender) == 1
            assert len(later.posts) == 1


async def _move(db: Database, settings: Settings, to: Receiver) -> None:
    connection = await asyncpg.connect(settings.database_admin_url)
    await connection.execute("UPDATE core.webhooks SET url = $1", to.url)
    await connection.close()


async def test_the_schedule_is_kept(db: Database, local: Settings, admin: asyncpg.Connection) -> None:
    waits = []
    async with receiving(Receiver(500)) as receiver, postman(db, local, schedule=SCHEDULE) as sender:
        await add(db, local, receiver)
        await finish_a_run(db)
        for _ in range(len(SCHEDULE)):
            assert await delivered(sender) == 1
            waits.append(await admin.fetchval("SELECT extract(epoch FROM due_at - now()) FROM core.webhook_messages"))
            assert await delivered(sender) == 0  # not before its time
            await admin.execute("UPDATE core.webhook_messages SET due_at = now()")
        await delivered(sender)
    assert all(planned - 2 < wait <= planned * 1.2 for planned, wait in zip(SCHEDULE, waits, strict=True))
    assert await statuses(admin) == ["dead"]
    assert timedelta(seconds=sum(SCHEDULE)) > timedelta(days=3)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("", 5, 6),
        ("1", 5, 6),
        ("3600", 3600, 4320),
        ("9999999", 86_400, 103_680),
        ("9" * 400, 86_400, 103_680),
        ("Fri, 31 Dec 9999 23:59:59 -1200", 86_400, 103_680),  # in UTC, no such day
        ("-5", 5, 6),
        ("1e999", 5, 6),
    ],
)
async def test_a_receiver_may_ask_for_more_time(
    db: Database, local: Settings, admin: asyncpg.Connection, header: str, least: float, most: float
) -> None:
    asking = Receiver(503, headers={"retry-after": header})
    async with receiving(asking) as receiver, postman(db, local, schedule=SCHEDULE) as sender:
        await add(db, local, receiver)
        await finish_a_run(db)
        await delivered(sender)
    wait = await admin.fetchval("SELECT extract(epoch FROM due_at - now()) FROM core.webhook_messages")
    assert least - 2 < wait <= most


async def test_what_is_given_up_is_brought_back_under_its_id(
    db: Database, local: Settings, admin: asyncpg.Connection
) -> None:
    async with receiving(Receiver(500, 500, 500, 200)) as receiver, postman(db, local, schedule=(0.0, 0.0)) as sender:
        await add(db, local, receiver)
        await finish_a_run(db)
        for _ in range(5):
            await delivered(sender)
        assert len(receiver.posts) == 3
        (dead,) = await webhooks.dead(db, MINE)
        assert (dead["attempts"], dead["last_error"]) == (3, "answered 500: what the receiver says")
        assert await webhooks.dead(db, THEIRS) == [] and await webhooks.resend(db, None, THEIRS) == []
        (message_id,) = await webhooks.resend(db)
        assert await delivered(sender) == 1
    assert {post.id for post in receiver.posts} == {dead["message_id"]} == {message_name(message_id)}
    assert await statuses(admin) == ["delivered"]


async def test_a_delivered_message_is_resent_only_by_name(db: Database, local: Settings) -> None:
    async with receiving(Receiver()) as receiver, postman(db, local) as sender:
        await add(db, local, receiver)
        await finish_a_run(db)
        await delivered(sender)
        message_id = UUID(receiver.posts[0].id.removeprefix("msg_"))
        assert await webhooks.resend(db) == []
        assert await webhooks.resend(db, [message_id], THEIRS) == []
        assert await webhooks.resend(db, [message_id], MINE) == [message_id]
        assert await webhooks.resend(db, [message_id], MINE) == []  # it waits already
        assert await delivered(sender) == 1
    assert len({post.id for post in receiver.posts}) == 1 and len(receiver.posts) == 2


async def test_for_a_day_after_a_rotation_both_secrets_verify(
    db: Database, local: Settings, admin: asyncpg.Connection
) -> None:
    async with receiving(Receiver()) as receiver, postman(db, local) as sender:
        webhook = await add(db, local, receiver)
        rotated = await webhooks.rotate(db, local, MINE, webhook.webhook_id)
        assert rotated.secret != webhook.secret
        await finish_a_run(db)
        await delivered(sender)
        await admin.execute("UPDATE core.webhooks SET rotated_at = rotated_at - interval '24 hours 1 second'")
        await finish_a_run(db)
        await delivered(sender)
    during, after = receiver.posts
    assert during.signed_with(webhook.secret) and during.signed_with(rotated.secret)
    assert not after.signed_with(webhook.secret) and after.signed_with(rotated.secret)


async def test_a_repeated_request_makes_one_webhook_and_one_rotation(db: Database, local: Settings) -> None:
    asked, turn = Asked(key="once", sent=b"a"), Asked(key="twice", sent=b"b")
    made = await asyncio.gather(*(webhooks.add(db, local, MINE, "https://example.com/a", asked) for _ in range(5)))
    assert len({(each.webhook_id, each.secret, each.created_at) for each in made}) == 1
    assert [each.webhook_id for each in await webhooks.listed(db, MINE)] == [made[0].webhook_id]
    first, second = [await webhooks.rotate(db, local, MINE, made[0].webhook_id, turn) for _ in range(2)]
    assert first == second and first.secret != made[0].secret


async def test_no_more_than_ten_webhooks(db: Database, local: Settings) -> None:

    urls = [f"https://example.com/{n}" for n in range(12)]
    made = await asyncio.gather(*(webhooks.add(db, local, MINE, url) for url in urls), return_exceptions=True)
    assert sum(isinstance(each, Conflict) for each in made) == 2
    assert len(await webhooks.listed(db, MINE)) == webhooks.MOST
    await webhooks.add(db, local, THEIRS, urls[0])
    with pytest.raises(NotAllowed):
        await webhooks.add(db, local, "CLT-99999", urls[0])


async def test_one_that_hangs_holds_up_no_other(db: Database, local: Settings) -> None:
    async with (
        receiving(Receiver(silent=True)) as hanging,
        receiving(Receiver()) as quick,
        postman(db, local) as sender,
    ):
        for _ in range(3):  # one client's webhooks share its places
            await add(db, local, hanging)
        await add(db, local, quick, THEIRS)
        for _ in range(PER_CLIENT):
            await finish_a_run(db)
        await finish_a_run(db, THEIRS)
        assert await sender.deliver_due() == PER_CLIENT + 1
        await until(lambda: quick.posts, "the other one is told")
        assert await sender.deliver_due() == 0  # the hanging one has its share
        await finish_a_run(db, THEIRS)
        assert await sender.deliver_due() == 1
        await until(lambda: len(quick.posts) == 2, "and told again")
        assert len(hanging.posts) == PER_CLIENT
        assert len({post.headers["host"] for post in hanging.posts}) == 1


@asynccontextmanager
async def crowd(db: Database, settings: Settings, receiver: Receiver, clients: int) -> AsyncIterator[list[str]]:
    """So many clients, with as many webhooks each as may be, all to this receiver; a run of each has ended."""
    names = [f"CROWD-{n}" for n in range(clients)]
    async with operator(settings) as connection:
        await connection.executemany(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ($1, 'Bar', '', '', '', '', 'pt')",
            [(name,) for name in names],
        )
    for _ in range(webhooks.MOST):
        await asyncio.gather(*(add(db, settings, receiver, name) for name in names))
    await asyncio.gather(*(finish_a_run(db, name) for name in names))
    yield names


@pytest.mark.parametrize("clients", [6, 40])
async def test_receivers_that_hang_take_no_place_from_others(
    db: Database, local: Settings, clients: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in looks of the sender: the first one after the run has ended tells the honest client. None of those that hang is
    late by then, on however slow a machine.
    """
    monkeypatch.setattr(posting, "QUICK_S", 3600.0)
    patient = replace(local, webhook_timeout_s=60.0)
    async with (
        receiving(Receiver(silent=True)) as hanging,
        receiving(Receiver()) as quick,
        crowd(db, local, hanging, clients),
        postman(db, patient) as sender,
    ):
        await add(db, local, quick, THEIRS)
        assert await sender.deliver_due() == clients * PER_CLIENT
        await until(lambda: len(hanging.posts) == clients * PER_CLIENT, "all of them hang")
        for told in range(1, 4):
            await finish_a_run(db, THEIRS)
            assert await sender.deliver_due() == 1
            await until(lambda told=told: len(quick.posts) == told, "the honest one is told")  # type: ignore[misc]
        assert len(hanging.posts) == clients * PER_CLIENT


FAILED = "SELECT w.slow, m.last_error FROM core.webhooks w JOIN core.webhook_messages m USING (webhook_id) WHERE m.last_error <> ''"


async def test_more_that_hang_than_there_are_places_hold_them_for_a_moment(
    db: Database, local: Settings, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond LATE the oldest are cut short, as soon as they are late; from then on they are slow."""
    monkeypatch.setattr(posting, "QUICK_S", 3600.0)
    clients, patient = QUICK // PER_CLIENT + 5, replace(local, webhook_timeout_s=60.0)
    async with (
        receiving(Receiver(silent=True)) as hanging,
        receiving(Receiver()) as quick,
        crowd(db, local, hanging, clients),
        postman(db, patient, schedule=SCHEDULE) as sender,
    ):
        await add(db, local, quick, THEIRS)
        assert await sender.deliver_due() == QUICK
        await finish_a_run(db, THEIRS)
        assert await sender.deliver_due() == 0  # for a moment
        monkeypatch.setattr(posting, "QUICK_S", 0.0)
        assert await sender.deliver_due() > 0
        await until(lambda: quick.posts, "the honest one is told")

        async def cut_short() -> bool:
            return len(await admin.fetch(FAILED)) >= QUICK - LATE

        await wait_until(cut_short, "the oldest are cut short, and it is written down")
        slow = await admin.fetch(FAILED)
        assert all(row["slow"] for row in slow)
        assert all("others wait for the place" in row["last_error"] for row in slow)


async def test_a_webhook_that_was_slow_goes_one_at_a_time_until_it_is_quick(
    db: Database, local: Settings, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "QUICK_S", 0.3)
    receiver, hasty = Receiver(silent=True), replace(local, webhook_timeout_s=0.5)
    async with receiving(receiver), receiving(Receiver()) as own, postman(db, hasty) as sender:
        await add(db, local, receiver)
        for _ in range(PER_CLIENT - 1):
            await finish_a_run(db)
        assert await sender.deliver_due() == PER_CLIENT - 1
        await until(lambda: all(attempt.late for attempt in sender.under_way), "they are late")
        assert await sender.deliver_due() == 0  # it counts as slow from here on
        await sender.drained()
        assert await admin.fetchval("SELECT slow FROM core.webhooks")
        await add(db, local, own)  # another webhook of the same client, which does not hang
        await finish_a_run(db)
        assert await sender.deliver_due() == 2, "one of the slow webhook, and the other's"
        await until(lambda: own.posts, "the other webhook is told")
        receiver.silent = False
        await sender.drained()
        assert await delivered(sender) == 1  # quick again
        assert not await admin.fetchval("SELECT bool_or(slow) FROM core.webhooks")
        assert await delivered(sender) == PER_CLIENT - 1
    assert len({post.id for post in receiver.posts}) == PER_CLIENT


async def test_a_client_with_more_than_its_places_does_not_wait_for_the_next_look(
    db: Database, local: Settings
) -> None:
    async with receiving(Receiver()) as receiver, postman(db, local) as sender:
        await add(db, local, receiver)
        for _ in range(3 * PER_CLIENT):
            await finish_a_run(db)
        assert await delivered(sender) == PER_CLIENT
        assert len(receiver.posts) == 3 * PER_CLIENT


async def test_silence_is_a_failure(db: Database, local: Settings, admin: asyncpg.Connection) -> None:
    hasty = replace(local, webhook_timeout_s=0.2)
    async with receiving(Receiver(silent=True)) as receiver, postman(db, hasty, schedule=()) as sender:
        await add(db, local, receiver)
        await finish_a_run(db)
        await delivered(sender)
    assert await admin.fetchval("SELECT last_error FROM core.webhook_messages") == "no answer within 0.2 s"
    assert await statuses(admin) == ["dead"]


async def test_a_redirect_is_not_followed(db: Database, local: Settings, admin: asyncpg.Connection) -> None:
    inner = Receiver()
    async with receiving(inner), receiving(Receiver(307, headers={"location": inner.url})) as outer:
        await add(db, local, outer)
        await finish_a_run(db)
        async with postman(db, local) as sender:
            await delivered(sender)
    assert (len(outer.posts), inner.posts) == (1, [])
    assert await statuses(admin) == ["waiting"]


async def test_a_network_that_is_not_open_is_never_reached(
    db: Database, local: Settings, admin: asyncpg.Connection
) -> None:
    """It was when the webhook was made, or its name led elsewhere then."""
    async with receiving(Receiver()) as receiver, postman(db, replace(local, webhook_networks="")) as sender:
        await add(db, local, receiver)
        await finish_a_run(db)
        assert await delivered(sender) == 1
    assert receiver.posts == []
    assert "not a public address" in await admin.fetchval("SELECT last_error FROM core.webhook_messages")


async def test_a_message_of_a_sender_that_died_is_taken_when_its_lease_is_over(db: Database, local: Settings) -> None:
    async with receiving(Receiver()) as receiver, postman(db, local) as sender:
        await add(db, local, receiver)
        await finish_a_run(db)
        (taken,) = await due(db, 0.5)  # and then nothing
        assert await delivered(sender) == 0
        await asyncio.sleep(0.6)
        assert await delivered(sender) == 1
    assert [post.id for post in receiver.posts] == [message_name(taken["message_id"])]


async def test_two_senders_never_hold_the_same_message(db: Database, local: Settings) -> None:
    other = await connect(local)
    async with receiving(Receiver()) as receiver, postman(db, local) as one, postman(other, local) as two:
        await add(db, local, receiver)
        for _ in range(40):
            await finish_a_run(db)
        while await asyncio.gather(one.deliver_due(), two.deliver_due(), one.drained()) != [0, 0, None]:
            pass
        await one.drained()
        await two.drained()
        while await delivered(one):
            pass
    await other.close()
    assert len(receiver.posts) == len({post.id for post in receiver.posts}) == 40


async def test_a_late_failure_changes_nothing_that_another_sender_did(db: Database, local: Settings) -> None:
    """A sender that was asleep for longer than its lease."""
    async with receiving(Receiver()) as receiver, postman(db, local) as sender:
        await add(db, local, receiver)
        await finish_a_run(db)
        (taken,) = await due(db, 0.0)
        assert await delivered(sender) == 1
        late = await db.batch.write("webhooks.failed", taken["message_id"], taken["attempts"], None, "late")
        assert late["count"] == 0
        assert await webhooks.dead(db) == []


async def test_gone_is_the_receivers_word_to_stop(db: Database, local: Settings, admin: asyncpg.Connection) -> None:
    async with receiving(Receiver(500, 410, 200)) as leaving, receiving(Receiver(500)) as staying:
        webhook = await add(db, local, leaving)
        await add(db, local, staying, THEIRS)
        async with postman(db, local, schedule=SCHEDULE) as sender:
            for client in (MINE, THEIRS):
                await finish_a_run(db, client)
            await delivered(sender)
            assert await statuses(admin) == ["waiting", "waiting"]
            assert [each.ended_at for each in await webhooks.listed(db, MINE)] == [None]
            await finish_a_run(db)
            await delivered(sender)
            assert sorted(await statuses(admin)) == ["dead", "dead", "waiting"]
            assert {row["last_error"] for row in await webhooks.dead(db)} == {"answered 410: what the receiver says"}
            (shown,) = await webhooks.listed(db, MINE)
            assert shown.webhook_id == webhook.webhook_id and shown.ended_at is not None
            await finish_a_run(db)
            assert await webhooks.resend(db) == [] and await delivered(sender) == 0
        assert len(leaving.posts) == 2 and len(await statuses(admin)) == 3, "nothing was even written for it"
        assert [row["ended_at"] is None for row in await webhooks.counted(db)] == [False, True]


async def test_what_was_under_way_when_the_receiver_left_is_not_sent_again(
    db: Database, local: Settings, admin: asyncpg.Connection
) -> None:
    async with receiving(Receiver(503, 410, 503)) as receiver, postman(db, local) as sender:
        webhook = await add(db, local, receiver)
        for _ in range(3):
            await finish_a_run(db)
        await delivered(sender)
        await admin.execute(
            "UPDATE core.webhook_messages SET status = 'waiting', due_at = now()"
        )  # a finish in that moment
        assert await delivered(sender) == 0
        assert set(await statuses(admin)) == {"dead"}
        again = await add(db, local, receiver)  # who comes back registers anew
        assert again.webhook_id != webhook.webhook_id
        await finish_a_run(db)
        assert await delivered(sender) == 1


async def test_a_removed_webhook_takes_its_messages_along(
    db: Database, local: Settings, admin: asyncpg.Connection
) -> None:

    webhook = await webhooks.add(db, local, MINE, "https://example.com/")
    await finish_a_run(db)
    with pytest.raises(NotFound):
        await webhooks.remove(db, THEIRS, webhook.webhook_id)
    assert await statuses(admin) == ["waiting"]
    await webhooks.remove(db, MINE, webhook.webhook_id)
    assert await statuses(admin) == [] and await webhooks.listed(db, MINE) == []


async def test_a_webhook_removed_while_its_message_is_sent_is_no_error(
    db: Database, local: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving(Receiver(500)) as receiver, postman(db, local) as sender:
        webhook = await add(db, local, receiver)
        await finish_a_run(db)
        await sender.deliver_due()
        await webhooks.remove(db, MINE, webhook.webhook_id)
        await sender.drained()
    assert caplog.records == []


class Counted(Postman):
    """Finds so many messages at each look."""

    def __init__(self, db: Database, settings: Settings, *found: int) -> None:
        super().__init__(db, settings)
        self.found, self.looks = iter(found), 0

    async def deliver_due(self) -> int:
        self.looks += 1
        return next(self.found)


@pytest.mark.parametrize(
    ("found", "news", "looks"),
    [
        ([0], [False] * 5, 1),
        ([0, 0], [False, False, True, False, False], 2),
        ([0, 0, 0], [True, True, True, False], 3),
        ([3, 1, 0], [False] * 5, 3),
        ([0, 2, 0], [False, True, False, False], 3),
    ],
    ids=str,
)
async def test_a_postman_looks_when_something_may_be_due(
    db: Database, local: Settings, monkeypatch: pytest.MonkeyPatch, found: list[int], news: list[bool], looks: int
) -> None:
    monkeypatch.setattr(posting, "REST_S", 3600.0)
    here = Counted(db, local, *found)
    for each in news:
        await here.go_round(each)
    assert here.looks == looks
    monkeypatch.setattr(posting, "REST_S", 0.0)
    here.found = repeat(0)
    await here.go_round(False)
    assert here.looks == looks + 1, "and now and then all the same"
    await here.close()
