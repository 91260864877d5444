"""What strangers send that is too much, and all of it at once: `python -m tests.api.worst ADDRESS`."""

import itertools
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

from tests.api.wire import HONEST, request, said

MB = 1_000_000
PACE_S = 0.0003  # between two connections: what a kernel needs to open thousands at once is no server's to mend


def endless(piece: bytes, size: int = 10 * MB) -> Iterator[bytes]:
    """The piece again and again, in blocks of some 64 kB, `size` bytes in all."""
    block = piece * max(1, 65_536 // len(piece))
    yield from itertools.repeat(block, size // len(block))


def begun(head: bytes, piece: bytes, size: int = 10 * MB) -> Callable[[], Iterator[bytes]]:
    return lambda: itertools.chain([head], endless(piece, size))


POST = b"POST /v1/runs HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
TOO_MUCH = {
    "a header of 100 MB": (431, begun(b"GET / HTTP/1.1\r\nHost: x\r\nx: ", b"a", 100 * MB)),
    "a header's name of 100 MB": (431, begun(b"GET / HTTP/1.1\r\nHost: x\r\n", b"a", 100 * MB)),
    "a header of blanks": (431, begun(b"GET / HTTP/1.1\r\nx:", b" ")),
    "a million tiny headers": (431, begun(b"GET / HTTP/1.1\r\n", b"a:b\r\n")),
    "a million empty headers": (431, begun(b"GET / HTTP/1.1\r\n", b"a:\r\n")),
    "200 headers": (431, lambda: [request("GET /healthz", *("a: b" for _ in range(200)))]),
    "a header that is folded": ((400, 431), begun(b"GET / HTTP/1.1\r\na: b\r\n", b" c\r\n")),
    "a long address": (414, begun(b"GET /", b"a")),
    "a long query": (414, begun(b"GET /healthz?", b"a=b&")),
    "a long id": (414, lambda: [request(f"GET /v1/runs/{'a' * MB}")]),
    "a long host": (414, begun(b"GET http://", b"a")),
    "a method without end": (400, begun(b"", b"A")),
    "lines before the request": ((400, 431), begun(b"", b"\r\n")),
    "a body of 10 MB": ((401, 413), lambda: [POST + b"Content-Length: 10000000\r\n\r\n", *endless(b"a")]),
    "a body where there is none": ((200, 413), begun(b"GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n")),
    "chunks without end": ((401, 413), begun(CHUNKED, b"1\r\na\r\n")),
    "a chunk without end": ((401, 413), begun(CHUNKED + b"fffffff\r\n", b"a")),
    "a chunk's size": ((400, 401, 413), begun(CHUNKED, b"0")),
    "a chunk's extension": ((401, 413), begun(CHUNKED + b"1;", b"a=b;")),
    "a value in a chunk's extension": ((401, 413), begun(CHUNKED + b'1;a="', b"b")),
    "trailers": ((401, 431), begun(CHUNKED + b"0\r\n", b"a: b\r\n")),
    "one trailer": ((401, 413), begun(CHUNKED + b"0\r\na: ", b"b")),
}  # fmt: skip
AT_WORST = (
    *(kind for kind in TOO_MUCH if "100 MB" in kind),
    "a million tiny headers",
    "a long id",
    "a chunk's extension",
    "trailers",
    "a body of 10 MB",
)


def crowd(address: str) -> None:
    """Thousands who hold on to their connections with as much as they may, or with nothing."""
    sockets = []
    for number in range(3000):
        sock = socket.create_connection(address.removeprefix("http://").split(":"))
        sockets.append(sock)
        if number % 2:
            sock.sendall(b"GET / HTTP/1.1\r\nx: " + b"a" * 16_000)
        time.sleep(PACE_S)
    for sock in sockets:
        sock.close()
        time.sleep(PACE_S)


def main(address: str) -> None:
    """Each kind in a thread of its own, three times over."""
    kinds: list[Callable[[], object]] = [lambda kind=kind: said(address, TOO_MUCH[kind][1]()) for kind in AT_WORST]  # type: ignore[misc]
    kinds.append(lambda: said(address, endless(HONEST, 20 * MB)))
    kinds.append(
        lambda: said(address, (bytes([byte]) for byte in request(f"GET /{'a' * 10_000}", "Connection: close")))
    )
    threads = [threading.Thread(target=kind) for kind in kinds * 3] + [threading.Thread(target=crowd, args=(address,))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1])
