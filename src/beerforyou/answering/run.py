"""One run, from claim to finish. Whatever happens in between, it ends in an outcome, or in the hands of another
worker, who goes on where this one was.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from beerforyou.answering import pipeline
from beerforyou.answering.composing import cancelled, failed
from beerforyou.answering.ledger import Ledger, from_row
from beerforyou.answering.turn import Answer, Outcome, Turn, begin
from beerforyou.conversations.memory import Memory, past, remember, remembered
from beerforyou.errors import Busy, ModelError, ModelTimeout, Unavailable
from beerforyou.house import House
from beerforyou.outside.permit import permitted
from beerforyou.runs.journal import Cancelled, Claim, Journal, Superseded
from beerforyou.runs.lease import Lease
from beerforyou.settings import Settings

log = logging.getLogger(__name__)

LEAST_S = 1.0  # what a run that is taken over may take still, however long it took before


class Walk:
    """One run in this process. `claimed` is set when it is known whether it is ours, with its `fencing_token` when it is; `over` is true
    when there is nothing left to do for it here. `blamed`: if it is not, the run may be to blame.

    `on_the_way` is called once it needs no more of us than others, since it asks the model or is over.
    """

    def __init__(self, house: House, lease: Lease, run_id: UUID, on_the_way: Callable[[], None] = lambda: None) -> None:
        self._house, self._lease, self.run_id = house, lease, run_id
        self._on_the_way: Callable[[], None] | None = on_the_way
        self.claimed = asyncio.Event()
        self.fencing_token: int | None = None
        self._epoch = 0
        self._begun = self.over = False
        self.blamed = True
        self._journal: Journal | None = None
        self._answering: asyncio.Task[Answer] | None = None
        self._cancelled = False

    async def work(self) -> None:
        """Does nothing when somebody else has the run."""
        try:
            await self._work()
        except Superseded:
            log.warning("run %s was taken over by another worker", self.run_id)
        except (
            Unavailable
        ) as error:  # what kills PostgreSQL may be what the run writes; to have waited for it is no fault
            self.blamed = self._begun and not isinstance(error, Busy)
            raise
        except asyncio.CancelledError:
            self.blamed = False
            raise
        finally:
            self._let_others_begin()

    async def _work(self) -> None:
        try:
            claim = await self._claim()
        finally:
            self.claimed.set()
        if claim:
            self.fencing_token = claim.fencing_token
            await self._walk(claim)
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
        house, sent = self._house, time.monotonic()
        try:
            row = await house.database.batch.write("runs.claim", self.run_id, house.worker_name, self._lease.seconds)
        except asyncpg.UniqueViolationError:  # another run of the conversation was claimed at the same moment
            return None
        if row is None:
            return None
        self._lease.renewed(sent)
        self._epoch = self._lease.epoch
        return msgspec.convert(dict(row), Claim)

    async def _walk(self, claim: Claim) -> None:
        house = self._house
        batch, settings = house.database.batch, house.settings
        claim, ledger = await self._so_far(claim)
        publish = partial(house.publishing.events, claim.conversation_id)
        journal = self._journal = Journal(batch, claim, settings.lease_s, self._may_go_on, publish)
        given_up = _given_up(claim, settings)
        reads = house.database.as_client(claim.client_id)
        memory = Memory() if given_up else await remembered(claim, house.valkey, reads)
        turn = await begin(claim, house, memory, ledger, journal)
        self._begun = True
        journal.emit("started")
        answer = failed(turn, given_up) if given_up else await self._answer(turn, claim)
        turn.speaking.begin_again()
        following = await journal.finish(_row(turn, answer))
        if following:
            house.bell.ring(following)
        if not given_up:  # else the memory was not looked at, and is made again of the messages
            await self._remember(claim, memory, turn, answer)

    def _may_go_on(self) -> bool:
        self._let_others_begin()
        return self._lease.holds(self._epoch)

    def _let_others_begin(self) -> None:
        if self._on_the_way:
            self._on_the_way()
            self._on_the_way = None

    async def _so_far(self, claim: Claim) -> tuple[Claim, Ledger]:
        """How far an earlier worker came, if there was one."""
        if claim.fencing_token == 1:
            return claim, Ledger()
        reads = self._house.database.service
        steps = [from_row(row) for row in await reads.fetch("runs.ledger", claim.run_id)]
        last = await reads.fetchrow("runs.last_event", claim.run_id)
        assert last is not None, "an aggregate has a row"
        return msgspec.structs.replace(claim, steps=len(steps), events=last["seq"]), Ledger(steps)

    async def _answer(self, turn: Turn, claim: Claim) -> Answer:
        if claim.cancelled or self._cancelled:
            return cancelled(turn)
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
        await remember(claim, now, self._house.valkey, turn.settings.memory_s)


def _given_up(claim: Claim, settings: Settings) -> Outcome | None:
    """Why a run is not walked any more. Asked before its conversation is looked at, which may be what kills."""
    if claim.cancelled:
        return None
    if claim.deaths > settings.max_crashes:
        log.error("run %s is given up: %d workers died over it", claim.run_id, claim.deaths)
        return "error_internal"
    return "error_timeout" if claim.waited_s > settings.run_expires_s else None


async def _answered(turn: Turn) -> Answer:
    try:
        with permitted(turn.journal.go_on):
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
