"""Statements, plans, round trips and ends of transactions are counted however the messages are cut."""

import struct

import pytest

from bench.proxy import Asked, Tap


def told(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


STARTUP = struct.pack("!ii", 8, 196608)
PREPARED = told(b"P", b"s1\0SELECT 1\0\0\0") + told(b"D", b"Ss1\0") + told(b"S")
EXECUTED = told(b"B", b"\0s1\0\0\0\0\0\0\0") + told(b"E", b"\0\0\0\0\0") + told(b"S")
READY, BUSY = told(b"Z", b"I"), told(b"Z", b"T")


def asked(*talk: tuple[bytes, bytes], pieces: int) -> Asked:
    counted = Asked()
    tap = Tap(counted)
    tap.sent(STARTUP)
    tap.said(READY)
    for sent, said in talk:
        for start in range(0, len(sent), pieces):
            tap.sent(sent[start : start + pieces])
        for start in range(0, len(said), pieces):
            tap.said(said[start : start + pieces])
    return counted


@pytest.mark.parametrize("pieces", [1, 3, 7, 1000])
def test_what_was_asked_is_counted(pieces: int) -> None:
    counted = asked((PREPARED, READY), (EXECUTED, READY), (EXECUTED + EXECUTED, READY + READY), pieces=pieces)
    assert (counted.statements, counted.plans, counted.trips, counted.ends) == (3, 1, 3, 5)
    assert counted.texts == {"SELECT 1": 3}


@pytest.mark.parametrize(("text", "statements"), [(b"BEGIN", 1), (b"BEGIN; SET LOCAL x = 1;", 2), (b"", 0)])
def test_a_simple_query_may_hold_several(text: bytes, statements: int) -> None:
    counted = asked((told(b"Q", text + b"\0"), BUSY), pieces=1000)
    assert (counted.statements, counted.ends) == (statements, 1)
