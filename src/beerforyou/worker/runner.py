"""One run, from claim to finish. Whatever happens in between, it ends in an outcome, or in the hands of another
worker once its lease has expired.
"""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

import msgspec

from beerforyou.answering import pipeline
from beerforyou.answering.composing import failed
from beerforyou.answering.journal import Claim, Journal, Superseded
from beerforyou.answering.turn import Answer, Turn, begin
from beerforyou.errors import ModelError, ModelTimeout
from beerforyou.service import Service

log = logging.getLogger(__name__)


async def work(service: Service, run_id: UUID) -> None:
    """Does nothing when somebody else has the run."""
    row = await service.database.batch.write("runs.claim", run_id, service.worker_name, service.settings.lease_s)
    if row is None:
        return
    claim = msgspec.convert(dict(row), Claim)
    journal = Journal(service.database.batch, claim, lambda events: service.committed(run_id))
    journal.emit("started")
    try:
        turn = await begin(claim, service.database, service.catalogue.now, service.model, service.settings, journal)
        answer = await _answered(turn)
        await _finish(turn, answer)
    except Superseded:
        log.warning("run %s was taken over by another worker", run_id)


async def _answered(turn: Turn) -> Answer:
    try:
        async with asyncio.timeout(turn.settings.run_timeout_s):
            return await pipeline.answer(turn)
    except (TimeoutError, ModelTimeout):
        return failed(turn, "error_timeout")
    except ModelError as error:
        log.warning("run %s: the model failed: %s", turn.run_id, error.message)
        return failed(turn, "error_model")
    except Superseded:
        raise
    except Exception:
        log.exception("run %s: an error of ours", turn.run_id)
        return failed(turn, "error_internal")


async def _finish(turn: Turn, answer: Answer) -> None:
    await turn.journal.finish(
        {
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
    )
