"""Tells every process what has happened. Nobody waits for it: PostgreSQL has the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from beerforyou.backends.valkey import Valkey
from beerforyou.runs import frames
from beerforyou.runs.frames import DELETED, GOES_ON, OVER, packed
from beerforyou.runs.run import Event

CANCEL = "beerforyou:cancel"  # where the ids of runs are published that somebody asked to cancel


def channel(followed: UUID) -> str:
    """Of a run or a conversation."""
    return f"beerforyou:events:{followed.hex}"


class Publishing:
    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey

    def under_way(self, conversation_id: UUID, run_id: UUID, needs: int, events: Sequence[Event]) -> None:
        """Of a run, before it is committed; `needs` is the number of the event before. Events have the run's own numbers."""
        last = events[-1].seq or 0
        self._publish(channel(run_id), packed(needs, last, GOES_ON, frames.of_run(events)))
        shown = frames.of_conversation(frames.of(run_id, events))
        self._publish(channel(conversation_id), packed(needs, last, run_id.hex, shown))

    def ended(
        self, conversation_id: UUID, run_id: UUID, needs: int, events: Sequence[Event], numbers: Sequence[int]
    ) -> None:
        """The last events of a run, which are committed; `numbers` are those that they have in the conversation."""
        self._publish(channel(run_id), packed(needs, events[-1].seq or 0, OVER, frames.of_run(events)))
        self.happened(conversation_id, frames.of(run_id, events, numbers))

    def happened(self, conversation_id: UUID, events: Sequence[Event]) -> None:
        """In a conversation, committed."""
        needs, last = events[0].number - 1, events[-1].number
        self._publish(channel(conversation_id), packed(needs, last, GOES_ON, frames.of_conversation(events)))

    def deleted(self, conversation_id: UUID, run_ids: Iterable[UUID]) -> None:
        """To those who follow what is not there any more: `run_ids` had not ended."""
        for followed in (conversation_id, *run_ids):
            self._publish(channel(followed), DELETED)

    def cancelling(self, run_id: UUID) -> None:
        """To the worker that has the run."""
        self._publish(CANCEL, run_id.bytes)

    def _publish(self, channel: str, data: bytes) -> None:
        self._valkey.tell("PUBLISH", channel, data)
