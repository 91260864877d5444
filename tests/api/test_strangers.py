"""What anybody may send who reaches the port: without a token, on raw sockets, to a real `serve`."""

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from beerforyou.settings import Settings
from tests.api.conftest import MINE, bearer
from tests.api.fuzz import fuzz
from tests.api.wire import HONEST, Ending, connected, heard, is_well, request, said
from tests.api.worst import CHUNKED, MB, POST, TOO_MUCH, endless
from tests.processes.fleet import ROOT, Process
from tests.processes.neighbour import installed, undisturbed

LAST = request("GET /healthz", "Connection: close")
SHORT = {
    "BEERFORYOU_HTTP_HEAD_S": "2",
    "BEERFORYOU_HTTP_BODY_S": "2",
    "BEERFORYOU_HTTP_IDLE_S": "2",
    "BEERFORYOU_HTTP_READ_S": "2",
}
FUZZED_S = 20.0
MOST_MB = 150  # by which the process may grow under all of it; it is about 60


@pytest.fixture(scope="module")
async def process(furnished: Settings, data_folder: Path) -> AsyncIterator[Process]:
    """`serve` with short patience, so that it is seen to end."""
    (logs := data_folder / "strangers").mkdir()
    async with installed(furnished, logs, SHORT) as process:
        yield process
        log = process.log.read_text()
        assert "Traceback" not in log and len(log) < 2000, log[-4000:]  # nor does the log grow


@pytest.mark.parametrize("kind", TOO_MUCH)
async def test_too_much_is_refused_and_not_read(process: Process, kind: str) -> None:
    right, pieces = TOO_MUCH[kind]
    spent = cpu_s(process)
    ending = await asyncio.to_thread(said, process.address, pieces())
    assert not ending.cut and len(ending.answers) == 1, ending
    assert ending.statuses[0] in (right if isinstance(right, tuple) else (right,)), ending
    if ending.statuses[0] != 200:
        assert ending.answers[0].problem
    assert cpu_s(process) - spent < 0.5
    assert is_well(process.address)


def cpu_s(process: Process) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(process: Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


NONSENSE = {
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}",
    "a length of 400 digits": POST + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n",
    "a length in words": POST + b"Content-Length: two\r\n\r\n{}",
    "chunked twice over": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "no chunk": CHUNKED + b"g\r\n",
    "a chunk that lies": CHUNKED + b"1\r\nab\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
    "HTTP/9": b"GET / HTTP/9.9\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "TLS": bytes.fromhex("160301020001000001fc0303") + bytes(500),
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a query of high bytes": request("GET /healthz?\xff\xfe=\xff"),
    "an unknown method": request("BREW /v1/runs"),
    "a word": b"hello\r\n\r\n",
    "zeros": bytes(5000),
    "high bytes": b"\xff" * 5000,
    "a NUL in a header": b"GET / HTTP/1.1\r\na: b\0c\r\n\r\n",
    "a bare line feed": b"GET / HTTP/1.1\r\na: b\nc: d\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\n: b\r\n\r\n",
    "a blank before the colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "no path": b"GET ? HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path of high bytes": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("sent", NONSENSE.values(), ids=NONSENSE)
async def test_what_is_not_http_is_told_so(process: Process, sent: bytes) -> None:
    ending = await asyncio.to_thread(said, process.address, [sent, LAST])
    assert not ending.cut and ending.statuses[0] in (400, 401, 404), ending
    assert ending.answers[0].problem
    assert is_well(process.address)


ODD = {
    "a host that is none": request("GET /v1/nothing/", "Host: [::1"),
    "a host with a blank": b"POST /healthz/ HTTP/1.1\r\nHost: a b\r\nContent-Length: 0\r\n\r\n",
    "a query of no text": request("GET /healthz?%FF%FE=%ED%A0%80&=&&%00"),
    "a method that is not ours": request("PROPFIND /v1/runs"),
    "an id with a surrogate": request("GET /v1/runs/%ED%A0%80%00%FF"),
    "an id of 10 kB": request(f"GET /v1/runs/{'%00' * 3400}"),
    "an empty id": request("GET /v1/runs//events"),
    "dots": request("GET /v1/../../../etc/passwd"),
    "another host": request("GET http://example.org/healthz"),
    "forwarded from nowhere": request("GET /healthz", "X-Forwarded-For: \xff, [::", "X-Forwarded-Proto: \xfe"),
    "a token of high bytes": request("GET /v1/webhooks", "Authorization: Bearer \xff\xfe\xfd"),
    "a token of 12 kB": request("GET /v1/webhooks", f"Authorization: Bearer {'a.' * 6000}"),
    "something else than JSON": request("POST /v1/runs", "Content-Type: \xff", "Content-Length: 2", body=b"\xff\xfe"),
    "an encoding": request("POST /v1/runs", "Content-Encoding: gzip", "Content-Length: 2", body=b"\x1f\x8b"),
    "HTTP/1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("sent", ODD.values(), ids=ODD)
async def test_odd_requests_are_answered_like_others(process: Process, sent: bytes) -> None:
    ending = await asyncio.to_thread(said, process.address, [sent, LAST])
    assert not ending.cut and ending.statuses[0] < 500 and len(ending.answers[0].body) < 5000, ending
    assert ending.statuses[1:] == [200] * (b"HTTP/1.0" not in sent), ending
    assert is_well(process.address)


async def test_who_asks_for_the_head_gets_no_body(process: Process) -> None:
    for path in ("/healthz", "/v1/runs", "/nothing"):
        ending = await asyncio.to_thread(
            said, process.address, [request(f"HEAD {path}", "Connection: close")], 0, "HEAD"
        )
        assert len(ending.answers) == 1 and not ending.cut and ending.answers[0].status < 500


UPGRADES = ("websocket", "h2c", "TLS/1.0", "x, " * 100, "\xff")


@pytest.mark.parametrize("protocol", UPGRADES)
async def test_an_upgrade_is_answered_and_the_last_request(process: Process, protocol: str) -> None:
    headers = (
        "Connection: Upgrade, HTTP2-Settings",
        f"Upgrade: {protocol}",
        "Sec-WebSocket-Key: x",
        "HTTP2-Settings: AA",
    )
    plain = request("GET /healthz", *headers) + HONEST
    ending = await asyncio.to_thread(said, process.address, [plain])
    assert ending.statuses == [200] and ending.answers[0].headers["connection"] == "close"
    body = request("POST /v1/runs", *headers, "Content-Length: 2", body=b"{}") + HONEST
    assert (await asyncio.to_thread(said, process.address, [body])).statuses == [401]


async def test_what_comes_in_any_pieces_is_the_same_request(process: Process) -> None:
    whole = request("POST /v1/runs", "Content-Length: 2", body=b"{}") + request("GET /healthz", "Connection: close")
    for size in (1, 2, 3, 7, 50):
        pieces = [whole[n : n + size] for n in range(0, len(whole), size)]
        assert (await asyncio.to_thread(said, process.address, pieces)).statuses == [401, 200]


async def test_a_few_requests_may_come_at_once_and_are_answered_in_order(process: Process) -> None:
    sent = [request("GET /healthz"), request("GET /v1/nothing"), request("GET /openapi.json")] * 4
    ending = await asyncio.to_thread(said, process.address, [b"".join([*sent, LAST])])
    assert ending.statuses == [200, 404, 200] * 4 + [200] and not ending.cut


async def test_of_too_many_at_once_the_first_are_answered(process: Process) -> None:
    ending = await asyncio.to_thread(said, process.address, [HONEST * 40])
    assert 1 < len(ending.answers) < 40 and set(ending.statuses) == {200} and not ending.cut
    assert [answer.headers.get("connection") for answer in ending.answers[-2:]] == [None, "close"]


async def test_a_flood_of_requests_on_one_connection_ends_it(process: Process) -> None:
    before = memory_mb(process)
    ending = await asyncio.to_thread(said, process.address, endless(HONEST, 20 * MB))
    assert len(ending.answers) < 100 and set(ending.statuses) <= {200}
    assert memory_mb(process) - before < 20


def drip(head: bytes, piece: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: itertools.chain([head], itertools.repeat(piece, 400))


def unread(address: str) -> Ending:
    """Who asks for much, again and again, and reads nothing, until the server has enough; then what there was to read."""
    with connected(address) as sock:
        sock.settimeout(0.1)
        end = time.monotonic() + 25
        while time.monotonic() < end:
            try:
                sock.sendall(request("GET /openapi.json"))
            except TimeoutError:
                continue
            except ConnectionError:
                return Ending([], True)
    raise AssertionError("the server writes to somebody who never reads")


def still_there(address: str) -> Ending:
    """Who was refused, and neither reads nor leaves."""
    with connected(address) as sock:
        sock.sendall(b"hello\r\n\r\n")
        return heard(sock)


SLOW = {
    "says nothing": ([], lambda: []),
    "begins": ([408], lambda: [b"GET /heal"]),
    "stops in the headers": ([408], lambda: [b"GET /healthz HTTP/1.1\r\nHost: x\r\n"]),
    "drips its line": ([408], drip(b"GET /", b"a")),
    "drips its headers": ([408], drip(b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n")),
    "drips blank lines": ([], drip(b"", b"\r\n")),
    "answered, says nothing": ([200], lambda: [HONEST]),
    "answered, begins again": ([200, 408], lambda: [HONEST, b"GET /"]),
    "answered, drips its body": ([401], drip(POST + b"Content-Length: 5000\r\n\r\n", b"a")),
    "answered, drips its chunks": ([401], drip(CHUNKED, b"1\r\na\r\n")),
    "answered, leaves its body out": ([401], lambda: [POST + b"Content-Length: 5000\r\n\r\n"]),
    "answered, drips blank lines": ([200], drip(HONEST, b"\r\n")),
}  # fmt: skip


async def test_nobody_keeps_a_connection_by_being_slow(process: Process) -> None:
    """All at once, since each takes as long as the server's patience."""

    async def one(kind: str) -> None:
        right, pieces = SLOW[kind]
        ending = await asyncio.to_thread(said, process.address, pieces(), 0.05)
        assert ending.statuses == right and not ending.cut, (kind, ending)

    await asyncio.gather(
        *map(one, SLOW), asyncio.to_thread(unread, process.address), asyncio.to_thread(still_there, process.address)
    )


async def test_a_body_of_a_client_is_not_waited_for_either(process: Process, furnished: Settings) -> None:
    token = bearer(furnished, MINE)["authorization"]
    head = request("POST /v1/runs", f"Authorization: {token}", "Content-Length: 5000")
    for pieces in ([head], [head, *itertools.repeat(b" ", 200)]):
        ending = await asyncio.to_thread(said, process.address, pieces, 0.05)
        assert ending.statuses == [408] and ending.answers[0].problem["hint"]


async def test_nothing_is_found_by_bytes_that_a_machine_made(process: Process) -> None:
    """For longer by hand: `python -m tests.api.fuzz`."""
    assert await asyncio.to_thread(fuzz, process.address, FUZZED_S) > 0


async def test_strangers_at_their_worst_disturb_nobody(process: Process, furnished: Settings) -> None:
    before = memory_mb(process)
    async with undisturbed(process, furnished) as waits:
        await waits.answered.wait()
        worst = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.api.worst", process.address, cwd=ROOT)
        assert await worst.wait() == 0
    assert memory_mb(process) - before < MOST_MB
