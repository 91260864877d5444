"""What is published is heard, and what may have been missed is told."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from beerforyou.backends.subscriptions import Subscriptions
from beerforyou.backends.valkey import Valkey
from beerforyou.settings import Settings
from tests.waiting import wait_until


@pytest.fixture
async def valkey(embedded_settings: Settings) -> AsyncIterator[Valkey]:
    connection = await Valkey.connect(embedded_settings.valkey_url)
    yield connection
    await connection.close()


@pytest.fixture
async def subscriptions(embedded_settings: Settings) -> AsyncIterator[Subscriptions]:
    subscriptions = await Subscriptions.connect(embedded_settings.valkey_url)
    yield subscriptions
    await subscriptions.close()


async def heard(inbox: "asyncio.Queue[bytes | None]") -> bytes | None:
    return await asyncio.wait_for(inbox.get(), 10)


async def test_each_listener_hears_its_channel(valkey: Valkey, subscriptions: Subscriptions) -> None:
    one, two, other = asyncio.Queue(), asyncio.Queue(), asyncio.Queue()
    async with (
        subscriptions.listen("a", one.put_nowait),
        subscriptions.listen("a", two.put_nowait),
        subscriptions.listen("b", other.put_nowait),
    ):
        await valkey("PUBLISH", "a", "first")
        await valkey("PUBLISH", "b", "second")
        assert [await heard(inbox) for inbox in (one, two, other)] == [b"first", b"first", b"second"]
    assert one.empty() and two.empty() and other.empty()


async def test_a_channel_goes_on_for_those_who_stay(valkey: Valkey, subscriptions: Subscriptions) -> None:
    stays, leaves = asyncio.Queue(), asyncio.Queue()
    async with subscriptions.listen("c", stays.put_nowait):
        async with subscriptions.listen("c", leaves.put_nowait):
            pass
        await valkey("PUBLISH", "c", "still")
        assert await heard(stays) == b"still"
    assert leaves.empty()

    async def nobody() -> bool:
        return await valkey("PUBLISH", "c", "nobody") == 0

    await wait_until(nobody, "the last one has left")


async def test_a_lost_connection_is_told_and_made_again(valkey: Valkey, subscriptions: Subscriptions) -> None:
    inbox = asyncio.Queue()
    async with subscriptions.listen("d", inbox.put_nowait):
        assert await valkey("CLIENT", "KILL", "TYPE", "pubsub") >= 1
        assert await heard(inbox) is None
        await valkey("PUBLISH", "d", "again")
        assert await heard(inbox) == b"again"


@pytest.mark.parametrize("channels", [1, 20])
async def test_what_nobody_listens_to_any_more_is_left(
    valkey: Valkey, subscriptions: Subscriptions, channels: int
) -> None:
    names, inbox = [f"left-{n}" for n in range(channels)], asyncio.Queue()
    for name in (*names, "kept"):
        await subscriptions.add(name, inbox.put_nowait)
    for name in (*names, "kept"):
        subscriptions.remove(name, inbox.put_nowait)
    await subscriptions.add("kept", inbox.put_nowait)

    async def left() -> bool:
        return int(sum((await valkey("PUBSUB", "NUMSUB", *names))[1::2])) == 0

    await wait_until(left, "they are left")
    await valkey("PUBLISH", "kept", "still")
    assert await heard(inbox) == b"still"
    subscriptions.remove("kept", inbox.put_nowait)
