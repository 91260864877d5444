"""The doorbell as a stream of Valkey (or Redis, from 6.2 on) with one group of consumers.

Entries are deleted with their ack, so the length of the stream is the depth of the queue. What a consumer holds it
claims anew every few seconds; what nobody claimed for RECLAIM_S belongs to the dead, and others take it over.
"""

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from beerforyou.backends.queue import DEAD_LETTERS, DELIVERIES, Arrivals, Delivery, dead, envelopes, full, opened
from beerforyou.backends.valkey import Valkey
from beerforyou.errors import BadInput, BeerForYouError, CommandRefused, SetupError, Unavailable

GROUP = "workers"
RECLAIM_S = 30.0
BLOCK_S = 2.0  # a Valkey that says nothing for valkey.ANSWER_S is taken for dead
FORGET_MS = 60_000  # a consumer that lives asks every BLOCK_S
OLDEST = (6, 2)  # XPENDING with IDLE

PUT = """
local limit = tonumber(table.remove(ARGV, 1))
if redis.call('XLEN', KEYS[1]) + #ARGV > limit then return 0 end
for _, envelope in ipairs(ARGV) do redis.call('XADD', KEYS[1], '*', 'runs', envelope) end
return 1
"""

BURY = """
local function bury(group, id, kept)
    for _, entry in ipairs(redis.call('XRANGE', KEYS[1], id, id)) do
        redis.call('XADD', KEYS[2], 'MAXLEN', '~', kept, '*', unpack(entry[2]))
    end
    redis.call('XACK', KEYS[1], group, id)
    redis.call('XDEL', KEYS[1], id)
end
"""

REJECT = f"{BURY} bury(ARGV[1], ARGV[2], ARGV[3])"

RECLAIM = f"""{BURY}
local group, me, late_ms, most, deliveries, kept, forget_ms = unpack(ARGV)
local claimed = {{}}
for _, row in ipairs(redis.call('XPENDING', KEYS[1], group, 'IDLE', late_ms, '-', '+', most)) do
    local id, delivered = row[1], row[4]
    local entry = delivered < tonumber(deliveries) and redis.call('XCLAIM', KEYS[1], group, me, 0, id)[1]
    if entry then table.insert(claimed, entry) else bury(group, id, kept) end
end
for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], group)) do
    local name, pending, idle_ms = row[2], row[4], row[6]
    if pending == 0 and idle_ms > tonumber(forget_ms) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group, name)
    end
end
return claimed
"""

HAND_BACK = """
local group, me, late_ms, most = unpack(ARGV)
for _, row in ipairs(redis.call('XPENDING', KEYS[1], group, '-', '+', most, me)) do
    redis.call('XCLAIM', KEYS[1], group, 'nobody', 0, row[1], 'IDLE', late_ms, 'JUSTID')
end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group, me)
"""


class ValkeyQueue:
    def __init__(self, url: str, valkey: Valkey, limit: int, held: int, name: str, reclaim_s: float) -> None:
        self._url, self._valkey, self._limit, self._most_held, self._name = url, valkey, limit, held, name
        self._late_ms = int(reclaim_s * 1000)
        self._look_s, self._next_look = min(BLOCK_S, reclaim_s / 3), 0.0
        self._me = secrets.token_hex(8)
        self._held: set[bytes] = set()
        self._room = asyncio.Event()
        self._blocking: Valkey | None = None
        self._arrivals = Arrivals(self._listen)
        self.take = self._arrivals.take

    @classmethod
    async def connect(cls, url: str, limit: int, held: int, name: str, reclaim_s: float = RECLAIM_S) -> "ValkeyQueue":
        """Raises SetupError and Unavailable."""
        valkey = await Valkey.connect(url)
        try:
            _check_version((await valkey("INFO", "server")).decode())
        except BaseException:
            await valkey.close()
            raise
        return cls(url, valkey, limit, held, name, reclaim_s)

    async def put(self, run_ids: Sequence[UUID]) -> None:
        """As durable as that server's append-only file: `everysec` may lose the last second with the machine."""
        try:
            done = await self._valkey("EVAL", PUT, 1, self._name, self._limit, *envelopes(run_ids))
        except CommandRefused as error:  # out of memory, a full disk
            raise Unavailable(error.message, "the log of the Valkey says more") from None
        if not done:
            raise full()

    async def ack(self, delivery: Delivery) -> None:
        self._let_go(delivery.receipt)
        with suppress(BeerForYouError):
            await asyncio.gather(
                self._valkey("XACK", self._name, GROUP, delivery.receipt),
                self._valkey("XDEL", self._name, delivery.receipt),
            )

    async def ready(self) -> None:
        await self._valkey("PING")

    async def close(self) -> None:
        await self._arrivals.stop()
        if self._blocking:
            await self._blocking.close()
            with suppress(BeerForYouError):
                await self._valkey("EVAL", HAND_BACK, 1, self._name, GROUP, self._me, self._late_ms, 10_000)
        await self._valkey.close()

    async def _listen(self) -> None:
        self._blocking = self._blocking or await Valkey.connect(self._url)
        try:
            await self._look()
            await self._read(self._blocking)
        except CommandRefused as error:
            if "NOGROUP" not in error.message and "UNBLOCKED" not in error.message:  # the latter before Redis 7.2
                raise
            await self._make_group()

    async def _read(self, valkey: Valkey) -> None:
        if (room := self._most_held - len(self._held)) <= 0:
            return await self._until_room()
        group, block = ("GROUP", GROUP, self._me), ("BLOCK", int(self._look_s * 1000))
        if streams := await valkey("XREADGROUP", *group, "COUNT", room, *block, "STREAMS", self._name, ">"):
            await self._arrive(streams[0][1])

    async def _until_room(self) -> None:
        self._room.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._look_s):
                await self._room.wait()

    async def _look(self) -> None:
        """After our own, that nobody takes it for lost; then after what others lost."""
        now = asyncio.get_running_loop().time()
        if now < self._next_look:
            return
        self._next_look = now + self._look_s
        if self._held:
            await self._valkey("XCLAIM", self._name, GROUP, self._me, 0, *self._held, "JUSTID")
        if (room := self._most_held - len(self._held)) > 0:
            keys = (2, self._name, dead(self._name))
            numbers = (self._late_ms, room, DELIVERIES, DEAD_LETTERS, FORGET_MS)
            await self._arrive(await self._valkey("EVAL", RECLAIM, *keys, GROUP, self._me, *numbers))

    async def _arrive(self, entries: Iterable[tuple[bytes, list[bytes]]]) -> None:
        """An entry is its id, and the names and values of its fields in turn."""
        for entry_id, fields in entries:
            try:
                delivery = Delivery(opened(fields[1]), entry_id)
            except BadInput:
                await self._reject(entry_id)
                continue
            self._held.add(entry_id)
            self._arrivals.arrive(delivery)

    def _reject(self, entry_id: bytes) -> "asyncio.Future[Any]":
        return self._valkey("EVAL", REJECT, 2, self._name, dead(self._name), GROUP, entry_id, DEAD_LETTERS)

    def _let_go(self, entry_id: bytes) -> None:
        self._held.discard(entry_id)
        self._room.set()

    async def _make_group(self) -> None:
        try:
            await self._valkey("XGROUP", "CREATE", self._name, GROUP, 0, "MKSTREAM")
        except CommandRefused as error:
            if "BUSYGROUP" not in error.message:  # another consumer was first
                raise


def _check_version(info: str) -> None:
    facts = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    version = facts["redis_version"]  # Valkey tells there which Redis it is compatible with
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        raise SetupError(f"a queue needs Valkey, or Redis from 6.2 on; this one is {version}", "upgrade it")
