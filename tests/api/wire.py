"""HTTP/1.1 as bytes on a socket, and a strict reader of what comes back; it knows nothing of the server but its address."""

import json
import re
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

STATUS = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) [ -~]*\Z")
HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([ -~\x80-\xff]*)\Z")
PATIENCE_S = 30.0  # beyond this a server has forgotten us
HONEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


class Malformed(AssertionError):
    pass


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json", self
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status and document["detail"] and document["hint"], document
        return document


class Ending(NamedTuple):
    """What was said until the server closed: whole answers, and whether the last one was cut off."""

    answers: list[Answer]
    cut: bool

    @property
    def statuses(self) -> list[int]:
        return [answer.status for answer in self.answers]


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_S) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield sock


def request(head: str = "GET /healthz", *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join((f"{head} HTTP/1.1", "Host: x", *headers, "", "")).encode("latin-1") + body


def said(address: str, pieces: Iterable[bytes], pause_s: float = 0.0, method: str = "GET") -> Ending:
    """Sends all that the server takes, and listens until it closes. Raises Malformed, and TimeoutError when it never does."""
    with connected(address) as sock:
        with suppress(ConnectionError):
            for piece in pieces:
                sock.sendall(piece)
                if pause_s:
                    time.sleep(pause_s)  # a slow sender is what is shown
        return heard(sock, method)


def heard(sock: socket.socket, method: str = "GET") -> Ending:
    read = bytearray()
    with suppress(ConnectionError):
        while piece := sock.recv(65_536):
            read += piece
    return understood(bytes(read), method)


def understood(read: bytes, method: str = "GET") -> Ending:
    answers = []
    while read:
        answer, read = _first(read, method)
        if answer is None:
            return Ending(answers, True)
        if answer.status >= 200:
            answers.append(answer)
    return Ending(answers, False)


def _first(read: bytes, method: str) -> tuple[Answer | None, bytes]:
    head, ended, rest = read.partition(b"\r\n\r\n")
    if not ended:
        return None, b""
    line, *lines = head.split(b"\r\n")
    found, pairs = STATUS.match(line), [HEADER.match(line) for line in lines]
    if not found or not all(pairs):
        raise Malformed(head[:300])
    status = int(found[1])
    headers = {pair[1].decode().lower(): pair[2].decode("latin-1") for pair in pairs if pair}
    if len(headers) != len(pairs):
        raise Malformed(f"a header comes twice: {head!r}")
    if status < 200 or status in (204, 304) or method == "HEAD":
        return Answer(status, headers, b""), rest
    if "content-length" in headers:
        length = int(headers["content-length"])
        return (Answer(status, headers, rest[:length]), rest[length:]) if len(rest) >= length else (None, b"")
    if headers.get("transfer-encoding") != "chunked":
        raise Malformed(f"a body without an end: {head!r}")
    return _unchunked(status, headers, rest)


def _unchunked(status: int, headers: dict[str, str], rest: bytes) -> tuple[Answer | None, bytes]:
    body = b""
    while True:
        size, ended, rest = rest.partition(b"\r\n")
        if not ended:
            return None, b""
        long = int(size, 16)
        chunk, end, rest = rest[:long], rest[long : long + 2], rest[long + 2 :]
        if len(end) < 2:
            return None, b""
        if end != b"\r\n":
            raise Malformed(f"a chunk of {size!r} does not end there")
        if not long:
            return Answer(status, headers, body), rest
        body += chunk


def is_well(address: str) -> bool:
    """The next honest request gets its answer."""
    ending = said(address, [request("GET /healthz", "Connection: close")])
    return ending.statuses == [200] and not ending.cut
