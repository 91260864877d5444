"""News of a run or a conversation as it is published: server-sent events, written once, for any number of followers.

A line goes before them, which says who may have them: `needs last over`, the number of the event that a follower must have
before the first of these, that of the last, and whether nothing comes after it. In a conversation, what is under way in a run has
no number of its own; then it is `needs last run`, numbers of the run, and whoever has not heard it from its beginning
waits for the answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from beerforyou.runs.run import Event, EventType

as_json = msgspec.json.Encoder().encode
GOES_ON, OVER = "-", "over"
DELETED = b""  # is published of what is there no more
STARTED = Event(seq=1, type="started", data={})  # the first of each run that a worker took; it is kept nowhere


class News(NamedTuple):
    """`run` is that of what is under way in a conversation, else none."""

    needs: int
    last: int
    over: bool
    run: str
    frames: bytes


def packed(needs: int, last: int, ends: str, frames: bytes) -> bytes:
    """`ends`: OVER, GOES_ON or a run."""
    return b"%d %d %s\n%s" % (needs, last, ends.encode(), frames)


def unpacked(news: bytes) -> News:
    line, _, frames = news.partition(b"\n")
    needs, last, ends = line.decode().split(" ")
    return News(int(needs), int(last), ends == OVER, "" if ends in (OVER, GOES_ON) else ends, frames)


def encode(value: Any) -> bytes:
    """UTF-8 knows no half of a character; no model or page may break a run with one."""
    try:
        return as_json(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value), ensure_ascii=False).encode(errors="replace")


def frame(number: int, type: str, data: bytes) -> bytes:
    """Without an id where the event has no number: the one before is still what a follower comes back with."""
    if number:
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, type.encode(), data)
    return b"event: %s\ndata: %s\n\n" % (type.encode(), data)


def of_run(events: Iterable[Event]) -> bytes:
    """With the run's own numbers."""
    return b"".join([frame(event.seq or 0, event.type, encode(event.data)) for event in events])


def of_conversation(events: Iterable[Event]) -> bytes:
    """With the numbers of the conversation, and the run that made them."""
    return b"".join([frame(event.number, event.type, _with_run(event)) for event in events])


def _with_run(event: Event) -> bytes:
    return encode({"run_id": event.run_id, **event.data} if event.run_id else event.data)


def after(frames: bytes, number: int) -> bytes:
    """Those with a higher number."""
    return b"".join([one for one in _each(frames) if _number(one) > number])


def parsed(frames: bytes) -> list[Event]:
    """The events of a run, for whoever does not pass them on."""
    return [_event(one) for one in _each(frames)]


def _each(frames: bytes) -> Iterator[bytes]:
    return (one + b"\n\n" for one in frames.split(b"\n\n") if one)


def _number(frame: bytes) -> int:
    return int(frame[4 : frame.index(b"\n")]) if frame.startswith(b"id: ") else 0


def _event(frame: bytes) -> Event:
    fields = dict(line.split(b": ", 1) for line in frame.splitlines() if line)
    type: EventType = fields[b"event"].decode()  # type: ignore[assignment]  # what `frame` wrote
    data: dict[str, Any] = msgspec.json.decode(fields[b"data"])
    return Event(seq=_number(frame) or None, type=type, data=data)


def kept(row: Any) -> list[Event]:
    """What there is of a run by now: of a row of `runs.events`."""
    events = [event for commit in row["events"] for event in msgspec.json.decode(commit, type=list[Event])]
    first = [STARTED] if row["begun"] else []
    if row["last_event"] is None:
        return first + events
    return first + events + ending(row["last_event"], row["status"], row["outcome"], row["text"], row["blocks"])


def ending(last: int, status: str, outcome: str | None, text: str | None, blocks: str) -> list[Event]:
    """The last events of a run; `blocks` are JSON."""
    finished = Event(seq=last, type="finished", data={"status": status, "outcome": outcome})
    if not text:
        return [finished]
    return [Event(seq=last - 1, type="answer", data={"text": text, "blocks": msgspec.Raw(blocks.encode())}), finished]


def of(run_id: UUID, events: Iterable[Event], numbers: Iterable[int] = repeat(0)) -> list[Event]:
    """The same in their conversation; without numbers, what is under way."""
    return [msgspec.structs.replace(event, number=n, run_id=run_id) for event, n in zip(events, numbers, strict=False)]
