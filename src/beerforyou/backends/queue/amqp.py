"""The doorbell as a quorum queue of RabbitMQ (from 3.10 on), with publisher confirms.

Putting and taking have a connection each: RabbitMQ stops reading from a publisher when it runs out of memory, and
then acks must still get through. A lost connection is made again by the next who needs it.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelInvalidStateError,
    ChannelPreconditionFailed,
    DeliveryError,
    ProbableAuthenticationError,
    PublishError,
)
from aiormq.exceptions import ChannelAccessRefused, InvalidFrameError
from pamqp.common import FieldTable

from beerforyou.backends.queue import DEAD_LETTERS, DELIVERIES, Arrivals, Delivery, dead, envelopes, full, opened
from beerforyou.errors import BadInput, SetupError, Unavailable

ANSWER_S = 4.0  # what a broker may take for anything
CLOSE_S = 1.0
HEARTBEAT_S = 10  # a broker that vanished without a word is missed after three of them
PORTS = {"amqp": 5672, "amqps": 5671}
GONE_S = 0.5  # a deleted queue stays away so long: made again at once, RabbitMQ tells its consumers nothing
HINT = "is it running, and is QUEUE_URL right?"

log = logging.getLogger(__name__)
# It tells of each attempt at a broker that is down, with a traceback; Arrivals tells it once.
logging.getLogger("aiormq").setLevel(logging.CRITICAL)


class AmqpQueue:
    def __init__(self, url: str, limit: int, held: int, name: str) -> None:
        self._name, self._most_held = name, held
        self._putting, self._taking = Link(url, name, limit), Link(url, name, limit)
        self._arrivals = Arrivals(self._listen)
        self.take = self._arrivals.take

    @classmethod
    async def connect(cls, url: str, limit: int, held: int, name: str) -> "AmqpQueue":
        """Raises SetupError. A broker that does not answer is waited for: workers find the runs without it, only later."""
        queue = cls(url, limit, held, name)
        try:
            await queue.ready()
        except Unavailable as error:
            log.warning("%s", error.message)
        except BaseException:
            await queue.close()
            raise
        return queue

    async def put(self, run_ids: Sequence[UUID]) -> None:
        """Survives a crash of the machine. A full queue may take a few more than its limit, by RabbitMQ's design."""
        channel = await self._putting.channel()
        with self._putting.errors():
            try:
                async with asyncio.timeout(ANSWER_S):
                    await asyncio.gather(*(self._publish(channel, envelope) for envelope in envelopes(run_ids)))
            except TimeoutError:
                await self._putting.drop(channel)
                raise

    async def _publish(self, channel: AbstractChannel, envelope: bytes) -> None:
        message = aio_pika.Message(envelope, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        try:
            await channel.default_exchange.publish(message, self._name, mandatory=True)
        except PublishError:  # somebody deleted the queue
            await asyncio.sleep(GONE_S)
            await self._putting.declare(channel)
            await channel.default_exchange.publish(message, self._name, mandatory=True)

    async def ack(self, delivery: Delivery) -> None:
        with suppress(AMQPError, ChannelInvalidStateError, OSError):
            await delivery.receipt.ack()

    async def ready(self) -> None:
        channel = await self._putting.channel()
        with self._putting.errors():
            async with asyncio.timeout(ANSWER_S):
                await self._putting.declare(channel)

    async def close(self) -> None:
        await self._arrivals.stop()
        await asyncio.gather(self._putting.close(), self._taking.close())

    async def _listen(self) -> None:
        """Until the connection is lost, or the queue is deleted."""
        channel, gone = await self._taking.channel(), asyncio.Event()
        try:
            with self._taking.errors():
                await self._consume(channel, gone)
            await gone.wait()
        finally:
            await self._taking.close()
            self._arrivals.forget()

    async def _consume(self, channel: AbstractChannel, gone: asyncio.Event) -> None:
        def lost(*_: Any) -> None:
            gone.set()

        channel.close_callbacks.add(lost)
        (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(lost)
        async with asyncio.timeout(ANSWER_S):
            await channel.set_qos(self._most_held)
            queue = await channel.get_queue(self._name, ensure=False)
            await queue.consume(self._arrive)

    async def _arrive(self, message: AbstractIncomingMessage) -> None:
        try:
            self._arrivals.arrive(Delivery(opened(message.body), message))
        except BadInput:
            await message.reject(requeue=False)  # to the dead letters


class Link:
    """One connection with one channel, made when it is asked for; the queues are there then."""

    def __init__(self, url: str, name: str, limit: int) -> None:
        self._url, self._name, self._limit = url, name, limit
        self._where, self._vhost = _place(url)
        self._making = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None

    async def channel(self) -> AbstractChannel:
        """Raises SetupError and Unavailable; the latter also for those who wait for somebody else's attempt."""
        if self._channel and not self._channel.is_closed:
            return self._channel
        with self.errors():
            async with asyncio.timeout(ANSWER_S), self._making:
                if self._channel is None or self._channel.is_closed:
                    self._channel = await self._made()
                return self._channel

    async def _made(self) -> AbstractChannel:
        await self.close()
        properties: FieldTable = {"connection_name": "beerforyou"}
        self._connection = await aio_pika.connect(self._url, heartbeat=HEARTBEAT_S, client_properties=properties)
        channel = await self._connection.channel(on_return_raises=True)
        await self.declare(channel)
        return channel

    async def declare(self, channel: AbstractChannel) -> None:
        """At-least-once dead letters need reject-publish; an x-delivery-limit counts what comes after the first."""
        quorum: FieldTable = {"x-queue-type": "quorum"}
        doorbell: FieldTable = quorum | {
            "x-max-length": self._limit,
            "x-overflow": "reject-publish",
            "x-delivery-limit": DELIVERIES - 1,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead(self._name),
            "x-dead-letter-strategy": "at-least-once",
        }
        await channel.declare_queue(dead(self._name), durable=True, arguments=quorum | {"x-max-length": DEAD_LETTERS})
        await channel.declare_queue(self._name, durable=True, arguments=doorbell)

    async def drop(self, channel: AbstractChannel) -> None:
        """Unless another is there already."""
        if channel is self._channel:
            await self.close()

    async def close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection:
            with suppress(TimeoutError, AMQPError, ChannelInvalidStateError, OSError):
                async with asyncio.timeout(CLOSE_S):
                    await connection.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """What aio-pika raises, as an error of ours."""
        broker = f"RabbitMQ at {self._where}"
        try:
            yield
        except (AuthenticationError, ProbableAuthenticationError):
            raise SetupError(f"{broker} refuses the user or the password", "check both in QUEUE_URL") from None
        except InvalidFrameError:  # what aiormq makes of a refusal at that point
            hint = "`rabbitmqctl add_vhost` and `set_permissions`, or name another at the end of QUEUE_URL"
            raise SetupError(f"{broker} has no virtual host {self._vhost} for this user", hint) from None
        except ChannelAccessRefused:
            hint = f"`rabbitmqctl set_permissions`: configure, write and read {self._name}.*"
            raise SetupError(f"{broker} does not let this user use the queue {self._name}", hint) from None
        except ChannelPreconditionFailed as error:
            hint = "set BEERFORYOU_QUEUE_LIMIT back, or delete the queue: PostgreSQL knows the runs, workers find them"
            raise SetupError(f"{broker} has a queue made with other settings: {error}", hint) from None
        except DeliveryError:
            raise full() from None
        except (AMQPError, ChannelInvalidStateError, OSError) as error:  # a TimeoutError is one
            raise Unavailable(f"{broker} does not answer: {_reason(error)}", HINT) from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or "nothing for a while"


def _place(url: str) -> tuple[str, str]:
    """Host and port, and the virtual host. Raises SetupError."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
    except ValueError:
        raise SetupError("QUEUE_URL is no URL of a RabbitMQ", "amqp://user:password@host:5672/, for instance") from None
    return f"{parts.hostname or 'localhost'}:{port}", parts.path[1:] or "/"
