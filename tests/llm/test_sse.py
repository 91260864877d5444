from collections.abc import Iterator
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beerforyou.llm.gemini_wire import Reader, decode
from beerforyou.llm.model import Reply
from beerforyou.llm.sse import Events
from tests.cpu import quick
from tests.llm.conversations import REQUESTS
from tests.llm.gemini_replies import REPLIES

LINE_ENDS = st.sampled_from([b"\n", b"\r\n"])


def pieces_of(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        yield data[start:end]


def read(data: bytes, cuts: list[int]) -> list[bytes]:
    events = Events()
    return [event for piece in (*pieces_of(data, cuts), b"\n\n") for event in events.feed(piece)]


@given(st.lists(st.text(min_size=1).map(msgspec.json.encode), max_size=5), LINE_ENDS, st.lists(st.integers(0, 10_000)))
def test_events_survive_any_cut(data: list[bytes], end: bytes, cuts: list[int]) -> None:
    stream = b"".join(b"data: " + event + end + end for event in data)

    assert read(stream, cuts) == data


@given(st.sampled_from(sorted(REPLIES)), LINE_ENDS, st.lists(st.integers(0, 10_000), max_size=20))
def test_a_reply_is_the_same_however_its_bytes_arrive(name: str, end: bytes, cuts: list[int]) -> None:
    stream = b"".join(b"data: " + msgspec.json.encode(chunk) + end + end for chunk in REPLIES[name])

    assert unnamed(heard(stream, cuts)) == unnamed(heard(stream, []))


def heard(stream: bytes, cuts: list[int]) -> Reply:
    said: list[str] = []
    reader = Reader(REQUESTS["tools"], said.append)
    for event in read(stream, cuts):
        reader.add(decode(event))
    reply = reader.reply()
    assert "".join(said) == reply.text
    assert "" not in said, "which would mean that the call begins again"
    return reply


def unnamed(reply: Reply) -> Reply:
    """Ids that we made up are new each time."""
    parts = tuple(msgspec.structs.replace(part, id="") if hasattr(part, "id") else part for part in reply.parts)
    return msgspec.structs.replace(reply, parts=parts)


def test_several_data_lines_are_one_event() -> None:
    assert read(b'data: {"a":\ndata: 1}\n\n', []) == [b'{"a":\n1}']


def test_other_fields_and_comments_are_passed_over() -> None:
    assert read(b": ping\nevent: message\nid: 7\nretry: 10\ndata:x\n\n", []) == [b"x"]


def test_the_last_event_needs_no_blank_line() -> None:
    assert read(b"data: 1\n\ndata: 2", []) == [b"1", b"2"]


def test_bytes_that_are_no_events_give_none() -> None:
    assert read(b"<html>bad gateway</html>", []) == []


@pytest.mark.parametrize("piece", [b"x", b"data: x", b"\n", b":\n", b"data:\n", b"\r"])
def test_its_time_is_linear(piece: bytes) -> None:
    """A line without an end, or lines without an event, byte by byte."""

    events = Events()
    with quick(2.0):
        assert sum(len(events.feed(piece)) for _ in range(100_000)) <= 1
        events.feed(b"\n\n")
