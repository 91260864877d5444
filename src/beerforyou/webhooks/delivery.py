"""Sends the outbox: at least once, each message with the same id and body however often, until somebody confirms it.

Places are what receivers that hang could take from the others. So clients take turns and none has more than a few; an
attempt that lasts is moved out of the way; and a webhook that was slow is sent to in a lane apart until it is quick again.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from beerforyou.db.database import Database
from beerforyou.errors import BeerForYouError, Unavailable
from beerforyou.outside import retry_after
from beerforyou.settings import Settings
from beerforyou.webhooks.registry import signed
from beerforyou.webhooks.sending import Response, Sender
from beerforyou.webhooks.signing import installation_key, message_name

log = logging.getLogger(__name__)

MINUTE, HOUR = 60.0, 3600.0
# Seconds before each further attempt, as the Standard Webhooks specification proposes: three days in all.
SCHEDULE = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
JITTER = 0.2  # a wait is up to so much longer, so that what failed together does not come back together
LONGEST_WAIT_S = 24 * HOUR  # whatever a receiver asks for
GONE = 410

QUICK_S = 2.0  # an attempt that takes longer makes its webhook a slow one; receivers should answer first and work then
# Places. A message that is being sent is some 20 kB and a socket, and a process often has 1,024 of those.
QUICK, PER_CLIENT = 400, 8  # so 49 clients whose receivers all hang leave places to the others
SLOW, SLOW_PER_CLIENT = 100, 2
LATE = 100  # attempts of the quick lane that last; beyond that the oldest are cut short
MARGIN_S = 15.0  # what a lease lasts longer than an attempt, for what is written before and after it
GOODBYE_S = 2.0
REST_S = 5.0  # without a look: what a worker left that died after it had ended a run, and what is sent again


class _Attempt:
    """A message under way. `slow` is its lane."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row, self.webhook_id, self.client_id = row, row["webhook_id"], row["client_id"]
        self.slow: bool = row["lane"]
        self.limit: asyncio.Timeout | None = None  # while it is being sent
        self._begun = time.monotonic()

    @property
    def age_s(self) -> float:
        return time.monotonic() - self._begun

    @property
    def late(self) -> bool:
        return self.age_s > QUICK_S

    def cut_short(self) -> None:
        limit, self.limit = self.limit, None
        if limit:
            limit.reschedule(0.0)


class Postman:
    """`schedule` and `lease_s` are for tests. A message that is taken is nobody else's until its lease is over."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        schedule: Sequence[float] = SCHEDULE,
        lease_s: float | None = None,
    ) -> None:
        self._database, self._schedule = database, schedule
        self._lease_s = settings.webhook_timeout_s + MARGIN_S if lease_s is None else lease_s
        self._key = installation_key(settings)
        self._sender = Sender(settings)
        self._under_way: dict[asyncio.Task[None], _Attempt] = {}  # oldest first
        self._taking = asyncio.Lock()
        self._looked, self._busy = -math.inf, False
        self._more: asyncio.Task[None] | None = None
        self._hungry = False

    @property
    def under_way(self) -> list[_Attempt]:
        return list(self._under_way.values())

    async def go_round(self, news: bool) -> None:
        """Looks for what is due when something may be: runs have ended here (`news`), something is under way or was the last
        time, or nobody has looked for a while. Raises Unavailable."""
        now, under_way = time.monotonic(), bool(self._under_way)
        if news or under_way or self._busy or now - self._looked >= REST_S:
            self._looked, self._busy = now, True
            self._busy = await self.deliver_due() > 0 or under_way

    async def deliver_due(self) -> int:
        """Takes what is due and begins to send it, without waiting for the end. Returns how many. Raises Unavailable."""
        async with self._taking:
            self._make_room()
            rows = await self._take()
            for attempt in map(_Attempt, rows):
                task = asyncio.create_task(self._deliver(attempt))
                self._under_way[task] = attempt
                task.add_done_callback(self._ended)
            return len(rows)

    def _make_room(self) -> None:
        late = [attempt for attempt in self.under_way if attempt.late and not attempt.slow]
        for attempt in late[:-LATE]:
            attempt.cut_short()

    async def _take(self) -> list[Any]:
        attempts = self.under_way
        slow = sum(attempt.slow for attempt in attempts)
        late = sum(attempt.late and not attempt.slow for attempt in attempts)
        sending = zip(*((a.webhook_id, a.client_id, a.slow, a.late) for a in attempts), strict=True)
        return await self._database.batch.alone(
            "webhooks.due",
            self._lease_s,
            max(0, QUICK - (len(attempts) - slow - late)),
            max(0, SLOW - slow),
            PER_CLIENT,
            SLOW_PER_CLIENT,
            *(map(list, sending) if attempts else ([], [], [], [])),
        )

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A client that had all its places may have more to send, and need not wait for the next look."""
        ended = self._under_way.pop(task)
        left = sum(other.client_id == ended.client_id for other in self.under_way)
        self._hungry = self._hungry or left == PER_CLIENT - 1
        if self._hungry and (self._more is None or self._more.done()):
            self._more = asyncio.create_task(self._deliver_more())

    async def _deliver_more(self) -> None:
        with suppress(BeerForYouError):  # the next look is in a second
            while self._hungry:
                self._hungry = False
                self._hungry = await self.deliver_due() > 0 or self._hungry

    async def _deliver(self, attempt: _Attempt) -> None:
        """What is not written down in the end comes again when the lease is over."""
        row = attempt.row
        try:
            result = await self._send(attempt)
            if attempt.late != row["slow"]:
                await self._database.batch.write("webhooks.paced", attempt.webhook_id, attempt.late)
            await self._settle(row, result)
        except BeerForYouError as error:
            log.warning("%s is sent again: %s", message_name(row["message_id"]), error.message)
        except Exception:
            log.exception("%s is sent again", message_name(row["message_id"]))

    async def _send(self, attempt: _Attempt) -> Response | Unavailable:
        headers, body = signed(self._key, attempt.row, datetime.now(UTC))
        try:
            async with asyncio.timeout(None) as attempt.limit:
                return await self._sender.post(attempt.row["url"], body, headers)
        except TimeoutError:
            return Unavailable(f"no answer within {attempt.age_s:.1f} s, and others wait for the place")
        except Unavailable as error:
            return error
        finally:
            attempt.limit = None

    async def _settle(self, row: Mapping[str, Any], result: Response | Unavailable) -> None:
        batch, message_id = self._database.batch, row["message_id"]
        if isinstance(result, Response) and 200 <= result.status < 300:
            await batch.write("webhooks.delivered", message_id)
        elif isinstance(result, Response) and result.status == GONE:
            await batch.write("webhooks.gone", message_id, _said(result))
        else:
            wait = _wait(row["attempts"], result, self._schedule)
            if wait is None:
                log.warning("%s is given up: %s", message_name(message_id), _said(result))
            await batch.write("webhooks.failed", message_id, row["attempts"], wait, _said(result))

    async def drained(self) -> None:
        """Waits for what is being sent."""
        while tasks := self._tasks():
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Waits for a moment; what is not sent by then comes again when its lease is over."""
        if tasks := self._tasks():
            await asyncio.wait(tasks, timeout=GOODBYE_S)
        while tasks := self._tasks():
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        await self._sender.close()

    def _tasks(self) -> list[asyncio.Task[None]]:
        looking = [self._more] if self._more and not self._more.done() else []
        return [*self._under_way, *looking]


def _wait(attempts: int, result: Response | Unavailable, schedule: Sequence[float]) -> float | None:
    """Seconds before the next attempt; None when this was the last."""
    if attempts > len(schedule):
        return None
    asked = retry_after.seconds(result.retry_after) if isinstance(result, Response) else None
    wait = max(schedule[attempts - 1], min(asked or 0.0, LONGEST_WAIT_S))
    return wait * random.uniform(1, 1 + JITTER)  # noqa: S311 (no secret)


def _said(result: Response | Unavailable) -> str:
    if isinstance(result, Unavailable):
        return result.message
    return f"answered {result.status}" + (f": {result.excerpt}" if result.excerpt else "")
