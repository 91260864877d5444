"""What both back ends of the queue promise, on a real Valkey and a real RabbitMQ that are killed for it."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

import aio_pika
import pytest

from beerforyou.backends import queue as module
from beerforyou.backends.queue import DELIVERIES, ENVELOPE, Delivery, Queue, connect, dead
from beerforyou.backends.queue.amqp import AmqpQueue
from beerforyou.backends.queue.valkey import ValkeyQueue, _check_version
from beerforyou.backends.valkey import Valkey
from beerforyou.errors import SetupError, TooMany, Unavailable
from beerforyou.servers import embedded
from beerforyou.settings import Settings, load
from tests.servers.rabbitmq import Rabbit, rabbitmq
from tests.waiting import wait_until

RECLAIM_S = 1.5
ANSWER_S = 6  # what `put` may take to give up, and a little more

CONSUMER = """
import asyncio, sys
from tests.backends.test_queue import ValkeyQueue, AmqpQueue
async def main():
    queue = await {kind}.connect(*{arguments})
    print(len((await queue.take()).run_ids), flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


class Broker(Protocol):
    url: str

    async def connect(self, name: str, limit: int = 1000, held: int = 64) -> Queue: ...

    def consumer(self, name: str) -> str:
        """The program of a process that takes one message and keeps it."""

    async def depth(self, name: str) -> int: ...

    async def send(self, name: str, message: bytes) -> None:
        """As somebody else might."""

    async def destroy(self, name: str) -> None: ...

    async def settle(self) -> None:
        """Until what was declared and confirmed would survive a `kill -9`."""

    async def kill(self) -> None: ...

    async def start(self) -> None: ...


class ValkeyBroker:
    def __init__(self, servers: embedded.Servers) -> None:
        self._servers, self.url = servers, servers.valkey_url

    async def connect(self, name: str, limit: int = 1000, held: int = 64) -> Queue:
        return await ValkeyQueue.connect(self.url, limit, held, name, RECLAIM_S)

    def consumer(self, name: str) -> str:
        return CONSUMER.format(kind="ValkeyQueue", arguments=(self.url, 1000, 64, name, RECLAIM_S))

    async def depth(self, name: str) -> int:
        return int(await self._ask("XLEN", name))

    async def send(self, name: str, message: bytes) -> None:
        await self._ask("XADD", name, "*", "runs", message)

    async def destroy(self, name: str) -> None:
        await self._ask("FLUSHALL")

    async def settle(self) -> None:
        await self._ask("WAITAOF", 1, 0, 4000)

    async def kill(self) -> None:
        lines = bytes(await self._ask("INFO", "server")).decode().splitlines()
        pid = next(line.partition(":")[2] for line in lines if line.startswith("process_id"))
        os.kill(int(pid), signal.SIGKILL)

    async def start(self) -> None:
        await asyncio.to_thread(self._servers.ensure)

    async def _ask(self, *command: str | bytes | int) -> int | bytes:
        valkey = await Valkey.connect(self.url)
        try:
            return await valkey(*command)
        finally:
            await valkey.close()


class RabbitBroker:
    def __init__(self, rabbit: Rabbit) -> None:
        self._rabbit, self.url = rabbit, rabbit.url

    async def connect(self, name: str, limit: int = 1000, held: int = 64) -> Queue:
        return await AmqpQueue.connect(self.url, limit, held, name)

    def consumer(self, name: str) -> str:
        return CONSUMER.format(kind="AmqpQueue", arguments=(self.url, 1000, 64, name))

    async def depth(self, name: str) -> int:
        async with await aio_pika.connect(self.url) as connection, connection.channel() as channel:
            queue = await channel.declare_queue(name, passive=True)
            return queue.declaration_result.message_count or 0

    async def send(self, name: str, message: bytes) -> None:
        async with await aio_pika.connect(self.url) as connection, connection.channel() as channel:
            await channel.default_exchange.publish(aio_pika.Message(message), name)

    async def destroy(self, name: str) -> None:
        async with await aio_pika.connect(self.url) as connection, connection.channel() as channel:
            await channel.queue_delete(name)

    async def settle(self) -> None:
        """RabbitMQ keeps a new queue's registration back for a moment; killed then, a single node never elects a
        leader for it again. Measured on 3.10: 0.3 s were too short, 1 s was enough."""
        await asyncio.sleep(2)

    async def kill(self) -> None:
        self._rabbit.kill()

    async def start(self) -> None:
        await asyncio.to_thread(self._rabbit.start)


@pytest.fixture(scope="module")
def valkey_broker() -> Iterator[Broker]:
    """One of our own: killing the tests' shared one would harm others."""
    with tempfile.TemporaryDirectory(prefix="bfy-") as folder:
        Path(folder).chmod(0o711)
        with embedded.start(Path(folder), postgres=False) as servers:
            yield ValkeyBroker(servers)


@pytest.fixture(scope="module")
def rabbit_broker() -> Iterator[Broker]:
    with rabbitmq() as rabbit:
        yield RabbitBroker(rabbit)


@pytest.fixture(params=["valkey", "rabbit"])
def broker(request: pytest.FixtureRequest) -> Broker:
    found: Broker = request.getfixturevalue(f"{request.param}_broker")
    return found


NUMBERS = count(1)
Join = Callable[..., Awaitable[Queue]]


@pytest.fixture
def name() -> str:
    return f"beerforyou.test{next(NUMBERS)}"


@pytest.fixture
async def join(broker: Broker, name: str) -> AsyncIterator[Join]:
    """`await join()`: one more process at this test's queue."""
    joined: list[Queue] = []

    async def one_more(**more: int) -> Queue:
        joined.append(await broker.connect(name, **more))
        return joined[-1]

    yield one_more
    await asyncio.gather(*(queue.close() for queue in joined))


def ids(number: int) -> list[UUID]:
    return [uuid4() for _ in range(number)]


async def take(queue: Queue) -> Delivery:
    return await asyncio.wait_for(queue.take(), 15)


async def take_all(queue: Queue, number: int) -> list[UUID]:
    """So many runs, acked."""
    found: list[UUID] = []
    while len(found) < number:
        delivery = await take(queue)
        found += delivery.run_ids
        await queue.ack(delivery)
    return found


async def nothing_comes(queue: Queue) -> bool:
    try:
        await asyncio.wait_for(queue.take(), RECLAIM_S * 1.5)
    except TimeoutError:
        return True
    return False


async def test_what_is_put_is_taken(join: Join) -> None:
    queue, sent = await join(), ids(3)
    await queue.put(sent)
    assert (await take(queue)).run_ids == tuple(sent)


async def test_each_planner_has_a_queue_of_its_own(broker: Broker) -> None:
    """Whatever its name has in it; and blanks around the name are none of it."""
    names = ("offline:", "compatible:Qwen/Qwen3-4B*#.x", "ollama:qwen3:4b", "azure:" + "x" * 190)
    queues = {name: await connect(Settings(queue_url=broker.url, model=name)) for name in names}
    sent = {name: ids(1) for name in names}
    for name, queue in queues.items():
        await queue.put(sent[name])
    same = {name: await connect(Settings(queue_url=broker.url, model=f" {name}\n")) for name in names}
    for name, queue in same.items():
        delivery = await take(queue)
        assert delivery.run_ids == tuple(sent[name])
        await queue.ack(delivery)
    await asyncio.gather(*(queue.close() for queue in (*queues.values(), *same.values())))


async def test_many_runs_share_a_message(join: Join, broker: Broker, name: str) -> None:
    queue, sent = await join(), ids(2 * ENVELOPE + 8)
    await queue.put(sent)
    deliveries = [await take(queue) for _ in range(3)]
    assert sorted(len(delivery.run_ids) for delivery in deliveries) == [8, ENVELOPE, ENVELOPE]
    assert {run_id for delivery in deliveries for run_id in delivery.run_ids} == set(sent)


async def test_nothing_put_is_no_message(join: Join, broker: Broker, name: str) -> None:
    await (await join()).put([])
    assert await broker.depth(name) == 0


async def test_all_come_whoever_put_them(join: Join) -> None:
    one, two, worker = await join(), await join(), await join()
    sent = ids(200)
    await asyncio.gather(*((one, two)[n % 2].put([run_id]) for n, run_id in enumerate(sent)))
    assert sorted(await take_all(worker, 200)) == sorted(sent)


async def test_what_was_acked_does_not_come_again(join: Join, broker: Broker, name: str) -> None:
    first, second = await join(), await join()
    await first.put(ids(1))
    await first.ack(await take(first))
    await first.close()
    assert await nothing_comes(second)
    assert await broker.depth(name) == 0


async def test_a_worker_that_lives_keeps_what_it_took(join: Join) -> None:
    busy, idle = await join(), await join()
    await busy.put(ids(1))
    await take(busy)
    assert await asyncio.gather(nothing_comes(idle), nothing_comes(busy)) == [True, True]


async def test_what_a_worker_left_comes_to_others(join: Join) -> None:
    first, second, sent = await join(), await join(), ids(1)
    await first.put(sent)
    await take(first)
    await first.close()
    assert (await take(second)).run_ids == tuple(sent)


async def test_what_a_killed_worker_held_comes_to_others(join: Join, broker: Broker, name: str) -> None:
    queue, sent = await join(), ids(3)
    root = Path(__file__).parents[2]
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", broker.consumer(name), stdout=asyncio.subprocess.PIPE, cwd=root
    )
    try:
        await queue.put(sent)
        assert killed.stdout
        assert await asyncio.wait_for(killed.stdout.readline(), 30) == b"3\n"
    finally:
        killed.kill()
        await killed.wait()
    assert (await take(queue)).run_ids == tuple(sent)


async def test_workers_share_what_there_is(join: Join) -> None:
    one, two = await join(held=4), await join(held=4)
    sent, found = ids(40), []

    async def work(queue: Queue) -> int:
        for done in range(len(sent)):
            try:
                delivery = await asyncio.wait_for(queue.take(), RECLAIM_S)
            except TimeoutError:
                return done
            found.extend(delivery.run_ids)
            await queue.ack(delivery)
        return len(sent)

    for run_id in sent:
        await one.put([run_id])
    shares = await asyncio.gather(work(one), work(two))
    assert sorted(found) == sorted(sent)
    assert min(shares) > 0


async def test_a_worker_holds_no_more_than_it_may(join: Join) -> None:
    greedy, other = await join(held=2), await join()
    for run_id in (sent := ids(5)):
        await greedy.put([run_id])
    held = {*(await take(greedy)).run_ids, *(await take(greedy)).run_ids}
    assert {*await take_all(other, 3)} == {*sent} - held


async def test_a_full_queue_refuses_and_takes_again(join: Join, broker: Broker, name: str) -> None:
    queue, put = await join(limit=3), 0
    with pytest.raises(TooMany, match="full"):
        for put in range(10):  # noqa: B007
            await queue.put(ids(1))
    assert put in (3, 4)  # RabbitMQ takes one more than its limit
    await take_all(queue, put)

    async def takes_again() -> bool:
        try:
            await queue.put(ids(1))
        except TooMany:
            return False
        return True

    await wait_until(takes_again, "a queue with room takes a run")


async def test_what_nobody_manages_goes_to_the_dead_letters(join: Join, broker: Broker, name: str) -> None:
    await (await join()).put(sent := ids(1))
    for _ in range(DELIVERIES):
        worker = await join()
        assert (await take(worker)).run_ids == tuple(sent)
        await worker.close()
    assert await nothing_comes(await join())
    await wait_until(lambda: is_deep(broker, dead(name), 1), "the message is among the dead letters")
    assert await broker.depth(name) == 0


async def test_a_message_of_somebody_else_goes_to_the_dead_letters(join: Join, broker: Broker, name: str) -> None:
    queue, sent = await join(), ids(1)
    await broker.send(name, b"hello")
    await queue.put(sent)
    assert await take_all(queue, 1) == sent
    await wait_until(lambda: is_deep(broker, dead(name), 1), "the message is among the dead letters")
    await wait_until(lambda: is_deep(broker, name, 0), "the queue is empty")


async def is_deep(broker: Broker, name: str, depth: int) -> bool:
    return await broker.depth(name) == depth


async def test_a_worker_waits_until_a_killed_broker_is_back(
    join: Join, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    queue, worker, sent = await join(), await join(), ids(3)
    await queue.put(ids(1))
    held = await take(worker)
    waiting = asyncio.create_task(worker.take())
    await broker.settle()
    await broker.kill()
    try:
        for attempt in (queue.put(sent), queue.ready()):
            with pytest.raises(Unavailable):
                await asyncio.wait_for(attempt, ANSWER_S)
        await worker.ack(held)
        assert not waiting.done()
    finally:
        await broker.start()
    await wait_until(lambda: rings(queue, sent), "a run can be put again")
    found = {*(await asyncio.wait_for(waiting, 15)).run_ids}  # what was held may come again, too
    while not found >= {*sent}:
        found |= {*(await take(worker)).run_ids}
    said = [record.message for record in caplog.records if record.name == module.__name__]
    assert 1 <= len(said) <= 2  # Valkey's two connections may each notice


async def rings(queue: Queue, run_ids: list[UUID]) -> bool:
    try:
        await queue.put(run_ids)
    except Unavailable:
        return False
    return True


async def test_messages_survive_a_killed_broker(join: Join, broker: Broker) -> None:
    queue, sent = await join(), ids(50)
    await asyncio.gather(*(queue.put([run_id]) for run_id in sent))
    await broker.settle()
    await broker.kill()
    await broker.start()
    assert set(await take_all(await join(), 50)) == set(sent)


async def test_a_queue_that_was_deleted_is_made_again(join: Join, broker: Broker, name: str) -> None:
    queue, worker = await join(), await join()
    await queue.put(ids(2))
    await take(worker)
    await broker.destroy(name)
    await queue.put(sent := ids(3))
    while set((await take(worker)).run_ids) != set(sent):
        pass


async def test_a_cancelled_take_loses_nothing(join: Join) -> None:
    queue, sent = await join(), ids(1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 0.3)
    await queue.put(sent)
    assert (await take(queue)).run_ids == tuple(sent)


async def test_the_settings_choose(valkey_broker: ValkeyBroker, rabbit_broker: RabbitBroker) -> None:
    for more in ({"queue_url": rabbit_broker.url}, {"valkey_url": valkey_broker.url}):
        queue = await connect(load({}, **more))
        await queue.ready()
        await queue.put(sent := ids(1))
        assert await take_all(queue, 1) == sent
        await queue.close()


async def test_what_cannot_work_is_refused_in_a_sentence(
    valkey_broker: ValkeyBroker, rabbit_broker: RabbitBroker, name: str
) -> None:
    amqp, valkey = rabbit_broker.url, valkey_broker.url
    await (await rabbit_broker.connect(name, limit=5)).close()
    for url, sentence in (
        ("kafka://me:secret@localhost", "neither a URL of a RabbitMQ nor of a Valkey"),
        ("amqp://me:secret@localhost:beer/", "no URL of a RabbitMQ"),
        (amqp.replace("beerforyou:", "beerforyou:secret"), "refuses the user or the password"),
        (amqp + "nowhere", "no virtual host nowhere"),
        (valkey.replace("unix://:", "unix://:secret"), "refuses"),
    ):
        with pytest.raises(SetupError, match=sentence) as raised:
            await connect(load({}, queue_url=url))
        assert raised.value.hint
        assert "secret" not in raised.value.message + raised.value.hint
    with pytest.raises(SetupError, match="made with other settings") as raised:
        await rabbit_broker.connect(name, limit=6)
    assert "BEERFORYOU_QUEUE_LIMIT" in raised.value.hint
    with pytest.raises(SetupError, match=r"from 6\.2 on; this one is 6\.0\.16"):
        _check_version("# Server\r\nredis_version:6.0.16\r\n")


async def test_a_valkey_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 ") as raised:
        await connect(load({}, queue_url="valkey://me:secret@127.0.0.1:1/"))
    assert "secret" not in raised.value.message


async def test_a_rabbitmq_that_is_not_there_is_waited_for() -> None:
    """Runs are found without it: the rest of the house need not wait."""
    queue = await connect(load({}, queue_url="amqp://me:secret@127.0.0.1:1/"))
    try:
        for asked in (queue.ready(), queue.put([uuid4()])):
            with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 ") as raised:
                await asked
            assert "secret" not in raised.value.message
    finally:
        await queue.close()
