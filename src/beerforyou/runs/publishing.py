"""Tells every process what has just been committed. Nobody waits for it: PostgreSQL has the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from uuid import UUID

from beerforyou.backends.valkey import Valkey, unheeded
from beerforyou.runs.following import DELETED, channel, encode
from beerforyou.runs.run import Event

CANCEL = "beerforyou:cancel"  # where the ids of runs are published that somebody asked to cancel


class Publishing:
    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey

    def events(self, conversation_id: UUID, events: Sequence[Event]) -> None:
        """To all who follow the conversation, or one of its runs, wherever they are."""
        for run_id, of_run in groupby(events, lambda event: event.run_id):
            said = encode(tuple(of_run))
            self._publish(channel(conversation_id), said)
            if run_id:
                self._publish(channel(run_id), said)

    def deleted(self, conversation_id: UUID, run_ids: Iterable[UUID]) -> None:
        """To those who follow what is not there any more: `run_ids` had not ended."""
        for followed in (conversation_id, *run_ids):
            self._publish(channel(followed), DELETED)

    def cancelling(self, run_id: UUID) -> None:
        """To the worker that has the run."""
        self._publish(CANCEL, run_id.bytes)

    def _publish(self, channel: str, data: bytes) -> None:
        self._valkey("PUBLISH", channel, data).add_done_callback(unheeded)
