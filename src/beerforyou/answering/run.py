"""One run, from claim to finish: claimed, loaded, walked, written. Whatever happens in between, it ends in an outcome, or in
the hands of another worker, who goes on where this one was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any
from uuid import UUID

from beerforyou.answering import pipeline
from beerforyou.answering.ends import cancelled, failed
from beerforyou.answering.guard_out import guard_out
from beerforyou.answering.loading import load
from beerforyou.answering.shadow import compare
from beerforyou.answering.turn import Answer, Outcome, Turn
from beerforyou.conversations.memory import Memory, past, remember, remembered
from beerforyou.errors import Busy, Unavailable
from beerforyou.house import House
from beerforyou.outside.permit import permitted
from beerforyou.runs.claim import Claim, Superseded, claim
from beerforyou.runs.journal import Ending, Journal
from beerforyou.runs.lease import Lease
from beerforyou.runs.ledger import Ledger, so_far
from beerforyou.seams import through
from beerforyou.settings import Settings

log = logging.getLogger(__name__)


class Attempt:
    """One worker's try at a run, in one task. `claimed` is set when it is known whether it is ours, with its `fencing_token` when
    it is; `over` is true when there is nothing left to do for it here. `blamed`: if it is not, the run may be to blame. `afterwards`
    is what may still be done for it when it has ended, and nobody waits for.
    """

    def __init__(self, house: House, lease: Lease, run_id: UUID) -> None:
        self._house, self._lease, self.run_id = house, lease, run_id
        self.claimed = asyncio.Event()
        self.fencing_token: int | None = None
        self._begun = self.over = False
        self.blamed = True
        self.afterwards: Callable[[], Coroutine[Any, Any, None]] | None = None
        self._journal: Journal | None = None
        self._walking: asyncio.Task[None] | None = None
        self._cancelled = False

    async def work(self) -> None:
        """Does nothing when somebody else has the run."""
        try:
            await self._work()
        except Superseded:
            log.warning("run %s was taken over by another worker", self.run_id)
        except Unavailable as error:  # what kills PostgreSQL may be what the run writes; to wait for it is no fault
            self.blamed = self._begun and not isinstance(error, Busy)
            raise
        except asyncio.CancelledError:
            self.blamed = False
            raise

    async def _work(self) -> None:
        try:
            claimed = await through("claim", self.run_id, self._claim())
        finally:
            self.claimed.set()
        if claimed:
            self.fencing_token = claimed.fencing_token
            await self._through(claimed, partial(self._lease.holds, self._lease.epoch))
        self.over = True

    async def _claim(self) -> Claim | None:
        house = self._house
        return await claim(house.database.batch, self.run_id, house.worker_name, self._lease, house.settings.planner)

    def cancel(self) -> None:
        """The client wants no answer any more: whatever is under way for it is left."""
        self._cancelled = True
        if self._walking:
            self._walking.cancel()

    async def settled(self) -> None:
        """Returns when what was begun to be written is written."""
        if self._journal:
            await self._journal.settled()

    async def _through(self, claimed: Claim, may_go_on: Callable[[], bool]) -> None:
        house, settings = self._house, self._house.settings
        claimed, steps = await so_far(house.database.service, claimed)
        journal = self._journal = Journal(house.database.batch, claimed, settings.lease_s, may_go_on, house.publishing)
        given_up = _given_up(claimed, settings)
        turn, memory = await through("begin", self.run_id, self._load(claimed, Ledger(journal, steps), given_up))
        self._begun = True
        journal.emit("started")
        answer = guard_out(turn, failed(turn, given_up)) if given_up else await self._answer(turn, claimed)
        turn.speaking.begin_again()
        following = await through("finish", self.run_id, journal.finish(_ending(turn, answer)))
        if following:
            house.bell.ring(following)
        if turn.shadow:
            self.afterwards = partial(compare, turn, turn.shadow)
        if not given_up:  # else the memory was not looked at, and is made again of the messages
            await through("remember", self.run_id, self._remember(claimed, memory, turn, answer))

    async def _load(self, claimed: Claim, ledger: Ledger, given_up: Outcome | None) -> tuple[Turn, Memory]:
        house, journal = self._house, self._journal
        assert journal is not None
        reads = house.database.as_client(claimed.client_id)
        memory = Memory() if given_up else await remembered(claimed, house.valkey, reads)
        return load(house, claimed, memory, journal, ledger), memory

    async def _answer(self, turn: Turn, claimed: Claim) -> Answer:
        if claimed.cancelled or self._cancelled:
            return guard_out(turn, cancelled(turn))
        task = self._walking = asyncio.current_task()
        assert task is not None
        with permitted(turn.journal.go_on):
            try:
                return await pipeline.answer(turn)
            except asyncio.CancelledError:
                if not self._cancelled or task.uncancel():  # it is us who are to end
                    raise
                return guard_out(turn, cancelled(turn))
            finally:
                self._walking = None

    async def _remember(self, claimed: Claim, memory: Memory, turn: Turn, answer: Answer) -> None:
        if answer.outcome == "cancelled":
            return
        succeeded = answer.status == "succeeded"
        added = past(turn.text, answer.blocks) if succeeded else None
        now = memory.and_then(claimed.run_id, added, answer.context if succeeded else memory.context)
        await remember(claimed, now, self._house.valkey, turn.settings.memory_s)


def _given_up(claimed: Claim, settings: Settings) -> Outcome | None:
    """Why a run is not walked any more. Asked before its conversation is looked at, which may be what kills."""
    if claimed.cancelled:
        return None
    if claimed.deaths > settings.max_crashes:
        log.error("run %s is given up: %d workers died over it", claimed.run_id, claimed.deaths)
        return "error_internal"
    return "error_timeout" if claimed.waited_s > settings.run_expires_s else None


def _ending(turn: Turn, answer: Answer) -> Ending:
    return Ending(
        status=answer.status,
        outcome=answer.outcome,
        text=answer.text or None,
        blocks=answer.blocks,
        context=answer.context,
        labels=sorted(answer.label.audience),
        versions=answer.label.versions,
        usage=turn.ledger.usage,
        decisions=turn.decided.rows(turn.reading, answer.outcome),
        planned=turn.decided.planned,
    )
