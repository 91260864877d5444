"""The doorbell: a message carries the ids of runs that wait for a worker, and nothing else.

PostgreSQL is the truth, so a lost message costs time (the sweep rings again) and a doubled one costs a look at a row.
A URL chooses the back end, valkey.py or amqp.py; tests/backends/test_queue.py is what both promise.
"""

import asyncio
import logging
import random
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

import msgspec

from beerforyou.backends.valkey import SCHEMES
from beerforyou.errors import BadInput, BeerForYouError, SetupError, TooMany
from beerforyou.settings import Settings

QUEUE = "beerforyou.runs"  # and the planner, of each one
NOT_IN_NAMES = re.compile(r"[^\w.:@/+-]", re.ASCII)
ENVELOPE = 16  # runs in one message at most: enough to share its price, few enough for one worker
DELIVERIES = 5  # a message delivered so often without an ack goes to the dead letters
DEAD_LETTERS = 10_000  # kept for whoever looks into them; older ones go
MOST_HELD = 64  # messages that one consumer holds unacked; more would only keep them from others
PAUSE_S = (0.2, 1.0)  # between attempts to listen again, at random
ID_BYTES = 16

log = logging.getLogger(__name__)


class Delivery(msgspec.Struct, frozen=True):
    run_ids: tuple[UUID, ...]
    receipt: Any  # the back end's own


class Queue(Protocol):
    async def put(self, run_ids: Sequence[UUID]) -> None:
        """The broker has them when it returns. Raises TooMany (the queue is full) and Unavailable, within seconds."""

    async def take(self) -> Delivery:
        """Waits for one, through restarts of the broker as well. The first call begins to consume."""

    async def ack(self, delivery: Delivery) -> None:
        """Raises nothing when the connection is lost: then the message comes again."""

    async def ready(self) -> None:
        """Raises Unavailable when the broker does not answer."""

    async def close(self) -> None:
        """What was taken and not acked comes to others."""


async def connect(settings: Settings) -> Queue:
    """Raises SetupError (no such URL, wrong password, an unfit queue) and Unavailable (nobody answers there)."""
    url = settings.queue_url or settings.valkey_url
    scheme = url.partition(":")[0]
    held, name = min(settings.worker_concurrency, MOST_HELD), name_of(settings.planner)
    if scheme in SCHEMES:
        from beerforyou.backends.queue.valkey import ValkeyQueue

        return await ValkeyQueue.connect(url, settings.queue_limit, held, name)
    if scheme in ("amqp", "amqps"):
        from beerforyou.backends.queue.amqp import AmqpQueue  # slow to load

        return await AmqpQueue.connect(url, settings.queue_limit, held, name)
    raise SetupError(
        "QUEUE_URL is neither a URL of a RabbitMQ nor of a Valkey",
        "amqp://user:password@host:5672/ or valkey://:password@host:6379/0, for instance",
    )


def name_of(planner: str) -> str:
    """In characters that AMQP clients take. Two planners may come to share one: the row still decides, and the sweep rings again."""
    return f"{QUEUE}.{NOT_IN_NAMES.sub('_', planner)}"


def dead(name: str) -> str:
    return f"{name}.dead"


def full() -> TooMany:
    return TooMany("the queue of waiting runs is full", "try again in a moment; BEERFORYOU_QUEUE_LIMIT is its length")


def envelopes(run_ids: Sequence[UUID]) -> list[bytes]:
    packed = [run_id.bytes for run_id in run_ids]
    return [b"".join(packed[start : start + ENVELOPE]) for start in range(0, len(packed), ENVELOPE)]


def opened(envelope: bytes) -> tuple[UUID, ...]:
    """Raises BadInput: that is no message of ours."""
    if not envelope or len(envelope) % ID_BYTES or len(envelope) > ENVELOPE * ID_BYTES:
        raise BadInput(f"a message of {len(envelope)} bytes holds no ids of runs")
    return tuple(UUID(bytes=envelope[at : at + ID_BYTES]) for at in range(0, len(envelope), ID_BYTES))


class Arrivals:
    """What a task brings that begins with the first `take`, and listens again after whatever ended it."""

    def __init__(self, listen: Callable[[], Awaitable[None]]) -> None:
        self._listen = listen
        self._listener: asyncio.Task[None] | None = None
        self._arrived: asyncio.Queue[Delivery] = asyncio.Queue()
        self.arrive = self._arrived.put_nowait

    async def take(self) -> Delivery:
        if self._listener is None:
            self._listener = asyncio.create_task(self._listening())
        return await self._arrived.get()

    def forget(self) -> None:
        """What nobody took yet, when it will come again anyway."""
        while not self._arrived.empty():
            self._arrived.get_nowait()

    async def stop(self) -> None:
        if self._listener:
            self._listener.cancel()
            await asyncio.wait([self._listener])

    async def _listening(self) -> None:
        said = False
        while True:
            try:
                await self._listen()
                said = False
            except Exception as error:  # whoever waits in `take` would wait for ever
                if not said:
                    unexpected = None if isinstance(error, BeerForYouError) else error
                    log.warning("the queue is waited for: %s", error, exc_info=unexpected)
                said = True
                await asyncio.sleep(random.uniform(*PAUSE_S))  # noqa: S311
