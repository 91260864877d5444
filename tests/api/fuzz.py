"""Bytes that hypothesis made, cut anywhere, to a real `serve`: `python -m tests.api.fuzz --seconds 60`.

Whatever comes, the server answers well-formed HTTP or closes, says 500 to nothing, and answers the next honest request.
"""

import argparse
import asyncio
import contextlib
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.api.wire import connected, heard, is_well, request

ANSWERED_S = 0.03  # what the server gets to answer before we half close, which is to it as if we had gone
BODIES = (b"", b"{}", b'{"message": "oi"}', b"\xff", b"5\r\nhello\r\n0\r\n\r\n", b"0\r\na: b\r\n\r\n", b"ffffffff\r\n")
WORDS = (
    b"GET", b"POST", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE", b"PRI", b" ", b"\t", b"\r\n", b"\n", b"\r", b"\0", b":",
    b"/", b"/healthz", b"/v1/runs", b"/v1/runs/0/events", b"/openapi.json", b"//", b"*", b"?", b"#", b"%", b"%00", b"%ff", b";", b",",
    b" HTTP/1.1", b" HTTP/1.0", b" HTTP/2.0", b" HTTP/0.9", b"HTTP/1.1 200 OK\r\n", b"http://", b"[::1", b"\xff", b"\xc3\xa9",
    b"Host: x", b"Content-Length: 0", b"Content-Length: 5", b"Content-Length: 99999999999999999999", b"Content-Length: -1",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Connection: close", b"Connection: keep-alive",
    b"Connection: upgrade", b"Upgrade: websocket", b"Upgrade: h2c", b"Expect: 100-continue", b"Authorization: Bearer a.b.c",
    b"Authorization: ", b"Prefer: wait=60", b"If-None-Match: *", b"Last-Event-ID: 9", b"Idempotency-Key: k", b"Content-Type: \xff",
    b"0", b"1", b"1;a=b", b"ffffffffffffffff", b"0\r\n\r\n", b"5\r\nhello\r\n", *BODIES,
)  # fmt: skip
PATHS = (
    "/healthz",
    "/openapi.json",
    "/v1/runs",
    "/v1/runs/%00",
    "/v1/conversations/0",
    "/v1/webhooks",
    "/nothing",
    "*",
    "",
)
METHODS = ("GET", "POST", "DELETE", "PUT", "OPTIONS")
HEADERS = tuple(word.decode("latin-1") for word in WORDS if b": " in word)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Nearly right."""
    head = f"{draw(st.sampled_from(METHODS))} {draw(st.sampled_from(PATHS))}"
    headers, body = draw(st.lists(st.sampled_from(HEADERS), max_size=4)), draw(st.sampled_from(BODIES))
    length = [f"Content-Length: {len(body)}"] if draw(st.booleans()) else []
    return request(head, *headers, *length, body=body)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A request, or two, with something put in, taken out, repeated or overwritten here and there."""
    sent = b"".join(draw(st.lists(requests(), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 3))):
        at, long = draw(st.integers(0, len(sent))), draw(st.integers(0, 12))
        put = draw(st.one_of(st.sampled_from(WORDS), st.binary(max_size=8), st.just(sent[at : at + long] * 50)))
        sent = sent[:at] + put + sent[at + long * draw(st.booleans()) :]
    return sent


STREAMS = st.one_of(mutated(), st.lists(st.sampled_from(WORDS), max_size=20).map(b"".join), st.binary(max_size=200))


@st.composite
def cut(draw: st.DrawFn) -> list[bytes]:
    """A stream in the pieces that it is sent in."""
    sent = draw(STREAMS)
    cuts = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    return [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]


def check(address: str, streams: Sequence[Sequence[bytes]]) -> None:
    """All at once, each on a connection of its own."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connected(address)) for _ in streams]
        for sock, pieces in zip(socks, streams, strict=True):
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    sock.sendall(piece)
        time.sleep(ANSWERED_S)
        for sock, pieces in zip(socks, streams, strict=True):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)  # no more comes, so that nobody has to wait for a deadline
            ending = heard(sock)
            assert all(status < 500 for status in ending.statuses), (pieces, ending)
    assert is_well(address)


def fuzz(address: str, seconds: float) -> int:
    """How many streams were sent in that time. Raises what hypothesis found, made small."""
    sent, end = 0, time.monotonic() + seconds

    @settings(
        max_examples=20,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(cut(), min_size=1, max_size=20))
    def some(streams: list[list[bytes]]) -> None:
        nonlocal sent
        check(address, streams)
        sent += len(streams)

    while time.monotonic() < end:
        some()
    return sent


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="beerforyou-fuzz-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


async def _main(seconds: float) -> None:
    from beerforyou.db.migrate import migrate
    from beerforyou.servers.embedded import settings_with_servers
    from beerforyou.settings import load
    from tests.processes.neighbour import installed

    with _folder() as folder:
        house, servers = settings_with_servers(load({}, data=folder / "data"))
        assert servers
        with servers:
            await migrate(house)
            async with installed(house, folder) as process:
                print(f"{await asyncio.to_thread(fuzz, process.address, seconds)} streams, nothing found")
                log = process.log.read_text()
                assert "Traceback" not in log, log


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    asyncio.run(_main(parser.parse_args().seconds))
