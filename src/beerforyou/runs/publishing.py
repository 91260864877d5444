"""Tells every process what has just been committed of a run. Nobody waits for it: PostgreSQL has the truth."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from beerforyou.backends.valkey import Valkey, unheeded
from beerforyou.runs.following import channel, encode
from beerforyou.runs.journal import Event

CANCEL = "beerforyou:cancel"  # where the ids of runs are published that somebody asked to cancel


class Publishing:
    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey

    def events(self, run_id: UUID, events: Sequence[Event]) -> None:
        """To all who follow the run, wherever they are."""
        if events:
            self._publish(channel(run_id), encode(events))

    def cancelling(self, run_id: UUID) -> None:
        """To the worker that has the run."""
        self._publish(CANCEL, run_id.bytes)

    def _publish(self, channel: str, data: bytes) -> None:
        self._valkey("PUBLISH", channel, data).add_done_callback(unheeded)
