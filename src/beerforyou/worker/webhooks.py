"""Sends the outbox: at least once, each message with the same id and body however often, until somebody confirms it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from beerforyou.backends import retry_after
from beerforyou.backends.outside import Answer, Outside
from beerforyou.db.database import Database
from beerforyou.errors import BeerForYouError, Unavailable
from beerforyou.settings import Settings
from beerforyou.webhooks import installation_key, message_name, signed

log = logging.getLogger(__name__)

MINUTE, HOUR = 60.0, 3600.0
# Seconds before each further attempt, as the Standard Webhooks specification proposes: three days in all.
SCHEDULE = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
JITTER = 0.2  # a wait is up to so much longer, so that what failed together does not come back together
LONGEST_WAIT_S = 24 * HOUR  # whatever a receiver asks for
GONE = 410

BATCH = 50
PER_WEBHOOK = 10  # messages under way to one webhook: one that hangs must not take the places of the others
UNDER_WAY = 400  # in all; a message that is being sent is some 20 kB
MARGIN_S = 15.0  # what a lease lasts longer than an attempt, for what is written before and after it
GOODBYE_S = 2.0


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
        self._outside = Outside(settings)
        self._sending: Counter[UUID] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def deliver_due(self) -> int:
        """Takes what is due and begins to send it, without waiting for the end. Returns how many. Raises Unavailable."""
        taken = 0
        while room := min(BATCH, UNDER_WAY - len(self._tasks)):
            rows = await self._take(room)
            for row in rows:
                self._begin(row)
            taken += len(rows)
            if len(rows) < room:
                break
        return taken

    async def _take(self, most: int) -> list[Any]:
        webhooks, counts = list(self._sending), list(self._sending.values())
        return await self._database.batch.alone("webhooks.due", most, self._lease_s, PER_WEBHOOK, webhooks, counts)

    def _begin(self, row: Mapping[str, Any]) -> None:
        self._sending[row["webhook_id"]] += 1
        task = asyncio.create_task(self._deliver(row))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, row: Mapping[str, Any]) -> None:
        """What is not written down in the end comes again when the lease is over."""
        try:
            await self._settle(row, await self._send(row))
        except BeerForYouError as error:
            log.warning("%s is sent again: %s", message_name(row["message_id"]), error.message)
        except Exception:
            log.exception("%s is sent again", message_name(row["message_id"]))
        finally:
            self._sending[row["webhook_id"]] -= 1
            self._sending += Counter()  # forgets those without any

    async def _send(self, row: Mapping[str, Any]) -> Answer | Unavailable:
        headers, body = signed(self._key, row, datetime.now(UTC))
        try:
            return await self._outside.post(row["url"], body, headers)
        except Unavailable as error:
            return error

    async def _settle(self, row: Mapping[str, Any], result: Answer | Unavailable) -> None:
        batch, message_id = self._database.batch, row["message_id"]
        if isinstance(result, Answer) and 200 <= result.status < 300:
            await batch.write("webhooks.delivered", message_id)
        elif isinstance(result, Answer) and result.status == GONE:
            await batch.write("webhooks.gone", message_id, _said(result))
        else:
            wait = _wait(row["attempts"], result, self._schedule)
            if wait is None:
                log.warning("%s is given up: %s", message_name(message_id), _said(result))
            await batch.write("webhooks.failed", message_id, row["attempts"], wait, _said(result))

    async def drained(self) -> None:
        """Waits for what is being sent."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Waits for a moment; what is not sent by then comes again when its lease is over."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GOODBYE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._outside.close()


def _wait(attempts: int, result: Answer | Unavailable, schedule: Sequence[float]) -> float | None:
    """Seconds before the next attempt; None when this was the last."""
    if attempts > len(schedule):
        return None
    asked = retry_after.seconds(result.retry_after) if isinstance(result, Answer) else None
    wait = max(schedule[attempts - 1], min(asked or 0.0, LONGEST_WAIT_S))
    return wait * random.uniform(1, 1 + JITTER)  # noqa: S311 (no secret)


def _said(result: Answer | Unavailable) -> str:
    if isinstance(result, Unavailable):
        return result.message
    return f"answered {result.status}" + (f": {result.excerpt}" if result.excerpt else "")
