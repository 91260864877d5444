"""One run, from claim to finish. Whatever happens in between, it ends in an outcome, or in the hands of another
worker, who goes on where this one was.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from beerforyou.answering import pipeline
from beerforyou.answering.composing import cancelled, failed
from beerforyou.answering.journal import Cancelled, Claim, Event, Journal, Superseded
from beerforyou.answering.ledger import Ledger, from_row
from beerforyou.answering.memory import Memory, past, remember, remembered
from beerforyou.answering.turn import Answer, House, Turn, begin
from beerforyou.errors import ModelError, ModelTimeout, Unavailable
from beerforyou.service import Service
from beerforyou.worker.lease import Lease

log = logging.getLogger(__name__)

LEAST_S = 1.0  # what a run that is taken over may take still, however long it took before


class Walk:
    """One run in this process. `claimed` is set when it is known whether it is ours, with `fence` when it is; `over` is true
    when there is nothing left to do for it here."""

    def __init__(self, service: Service, lease: Lease, run_id: UUID) -> None:
        self._service, self._lease, self.run_id = service, lease, run_id
        self.claimed = asyncio.Event()
        self.fence: int | None = None
        self._epoch = 0
        self.over = False
        self._journal: Journal | None = None
        self._answering: asyncio.Task[Answer] | None = None
        self._cancelled = False

    async def work(self) -> None:
        """Does nothing when somebody else has the run."""
        try:
            claim = await self._claim()
        finally:
            self.claimed.set()
        if claim:
            self.fence = claim.fence
            try:
                await self._walk(claim)
            except Superseded:
                log.warning("run %s was taken over by another worker", self.run_id)
                return
        self.over = True

    def cancel(self) -> None:
        """The client wants no answer any more: whatever is under way for it is left."""
        self._cancelled = True
        if self._answering:
            self._answering.cancel()

    async def settled(self) -> None:
        """Returns when what was begun to be written is written."""
        if self._journal:
            await self._journal.settled()

    async def _claim(self) -> Claim | None:
        service, sent = self._service, time.monotonic()
        try:
            row = await service.database.batch.write(
                "runs.claim", self.run_id, service.worker_name, self._lease.seconds
            )
        except asyncpg.UniqueViolationError:  # another run of the conversation was claimed at the same moment
            return None
        if row is None:
            return None
        self._lease.renewed(sent)
        self._epoch = self._lease.epoch
        return msgspec.convert(dict(row), Claim)

    async def _walk(self, claim: Claim) -> None:
        service = self._service
        batch, settings = service.database.batch, service.settings
        claim, ledger = await self._so_far(claim)
        journal = Journal(batch, claim, settings.lease_s, lambda: self._lease.holds(self._epoch), self._publish)
        self._journal = journal
        journal.emit("started")
        memory = await remembered(claim, service.valkey, service.database.as_client(claim.client_id))
        house = House(service.database, service.catalogue.now, service.model, settings)
        turn = await begin(claim, house, memory, ledger, journal)
        answer = await self._answer(turn, claim)
        following = await journal.finish(_row(turn, answer))
        if following:
            service.bell.ring(following)
        await self._remember(claim, memory, turn, answer)

    async def _so_far(self, claim: Claim) -> tuple[Claim, Ledger]:
        """How far an earlier worker came, if there was one."""
        if claim.fence == 1:
            return claim, Ledger()
        reads = self._service.database.service
        steps = [from_row(row) for row in await reads.fetch("runs.ledger", claim.run_id)]
        last = await reads.fetchrow("runs.last_event", claim.run_id)
        assert last is not None, "an aggregate has a row"
        return msgspec.structs.replace(claim, steps=len(steps), events=last["seq"]), Ledger(steps)

    def _publish(self, events: list[Event]) -> None:
        self._service.publish(self.run_id, events)

    async def _answer(self, turn: Turn, claim: Claim) -> Answer:
        settings = turn.settings
        if claim.cancelled or self._cancelled:
            return cancelled(turn)
        if claim.crashes > settings.max_crashes:
            log.error("run %s is given up: %d workers died over it", claim.run_id, claim.crashes)
            return failed(turn, "error_internal")
        if claim.waited_s > settings.run_expires_s:
            return failed(turn, "error_timeout")
        self._answering = asyncio.create_task(_answered(turn))
        try:
            return await self._answering
        except asyncio.CancelledError:
            await asyncio.wait([self._answering])  # when it is us who were cancelled, it was too
            if self._cancelled:
                return cancelled(turn)
            raise

    async def _remember(self, claim: Claim, memory: Memory, turn: Turn, answer: Answer) -> None:
        if answer.outcome == "cancelled":
            return
        succeeded = answer.status == "succeeded"
        added = past(turn.text, answer.text, answer.blocks) if succeeded else None
        context = answer.context if succeeded else memory.context
        now = memory.and_then(claim.run_id, added, context)
        await remember(claim, now, self._service.valkey, turn.settings.memory_s)


async def _answered(turn: Turn) -> Answer:
    try:
        async with asyncio.timeout(max(LEAST_S, turn.settings.run_timeout_s - turn.ledger.spent_s)):
            return await pipeline.answer(turn)
    except (TimeoutError, ModelTimeout):
        return failed(turn, "error_timeout")
    except ModelError as error:
        log.warning("run %s: the model failed: %s", turn.run_id, error.message)
        return failed(turn, "error_model")
    except Cancelled:
        return cancelled(turn)
    except (Superseded, Unavailable):  # of the journal: another worker goes on from the ledger
        raise
    except Exception:
        log.exception("run %s: an error of ours", turn.run_id)
        return failed(turn, "error_internal")


def _row(turn: Turn, answer: Answer) -> dict[str, Any]:
    return {
        "status": answer.status,
        "outcome": answer.outcome,
        "text": answer.text,
        "blocks": answer.blocks,
        "context": answer.context,
        "labels": sorted(answer.label.audience),
        "versions": answer.label.versions,
        "usage": turn.usage,
        "decisions": turn.decisions,
    }
