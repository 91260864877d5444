import asyncio
import os
import signal
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from beerforyou.backends import valkey as module
from beerforyou.backends.valkey import Valkey
from beerforyou.errors import CommandRefused, SetupError, Unavailable
from beerforyou.servers import embedded
from beerforyou.settings import Settings
from bench.model_server.certificate import certify
from tests.waiting import wait_until


@pytest.fixture
async def valkey(embedded_settings: Settings) -> AsyncIterator[Valkey]:
    valkey = await Valkey.connect(embedded_settings.valkey_url)
    await valkey("FLUSHALL")
    yield valkey
    await valkey.close()


@pytest.fixture
def own_server() -> Iterator[embedded.Servers]:
    """One that a test may kill."""
    with tempfile.TemporaryDirectory(prefix="bfy-") as folder:
        Path(folder).chmod(0o711)
        with embedded.start(Path(folder), postgres=False) as servers:
            yield servers


async def process_id(valkey: Valkey) -> int:
    return int(await figure(valkey, "server", "process_id"))


async def figure(valkey: Valkey, section: str, name: str) -> str:
    lines = (await valkey("INFO", section)).decode().splitlines()
    return str(dict(line.split(":", 1) for line in lines if ":" in line)[name])


@pytest.fixture(params=["keeps replies to itself", "does not"])
async def talking(valkey: Valkey, embedded_settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[Valkey]:
    """With a server that knows CLIENT REPLY, or one that does not let us."""
    if request.param == "does not":
        await valkey("ACL", "SETUSER", "talker", "on", ">secret", "~*", "&*", "+@all", "-client|reply")
    url = urlsplit(embedded_settings.valkey_url)
    who = "talker:secret" if request.param == "does not" else url.netloc.partition("@")[0]
    connection = await Valkey.connect(url._replace(netloc=f"{who}@{url.netloc.partition('@')[2]}").geturl())
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    "told",
    [("SET", "ipa", "1"), ("NO-SUCH",), ("PUBLISH", "somewhere", b"\r\n\0"), ("INCR", "text"), ("PING",)],
    ids=str,
)
async def test_what_is_told_has_no_reply_and_takes_no_other_commands(talking: Valkey, told: tuple[str, ...]) -> None:
    await talking("SET", "text", "no number")
    before = talking("ECHO", "before")
    for _ in range(3):
        talking.tell(*told)
    between, waiting = talking("ECHO", "between"), len(talking._wire._waiting)
    talking.tell(*told)
    after = talking("ECHO", "after")
    assert await asyncio.gather(before, between, after) == [b"before", b"between", b"after"]
    assert waiting == (2 if talking._wire.silent else 5)
    assert await talking("GET", "ipa") == (b"1" if told[0] == "SET" else None)


async def test_what_is_told_while_the_connection_is_down_is_lost(valkey: Valkey) -> None:
    await valkey("SET", "ipa", "1")
    valkey._wire.abort()
    for _ in range(3):
        valkey.tell("SET", "ipa", "2")
    with pytest.raises(Unavailable):
        await valkey("GET", "ipa")
    await wait_until(lambda: answers(valkey), "it is connected again")
    assert await valkey("GET", "ipa") == b"1" and valkey._wire.silent


async def answers(valkey: Valkey) -> bool:
    try:
        return bool(await valkey("PING"))
    except Unavailable:
        return False


async def test_who_waits_for_nothing_is_woken_by_no_watch(valkey: Valkey) -> None:
    await valkey("PING")
    valkey._wire._check()
    assert valkey._wire._watch is None
    waits = valkey("PING")
    assert valkey._wire._watch is not None
    await waits


async def test_replies_come_to_their_commands_in_order(valkey: Valkey) -> None:
    assert await valkey("SET", "ipa", b"\x00 \xff") == b"OK"
    assert await valkey("GET", "ipa") == b"\x00 \xff"
    assert await valkey("GET", "stout") is None
    assert await valkey("INCRBY", "sold", 7) == 7
    assert await valkey("LRANGE", "none", 0, -1) == []
    assert await asyncio.gather(*(valkey("ECHO", n) for n in range(200))) == [b"%d" % n for n in range(200)]


async def test_ten_thousand_at_once(valkey: Valkey) -> None:
    async def count(n: int) -> tuple[int, bytes]:
        await valkey("SET", f"beer:{n}", n)
        return n, await valkey("GET", f"beer:{n}")

    replies = await asyncio.gather(*(count(n) for n in range(10_000)))
    assert all(int(reply) == n for n, reply in replies)


async def test_commands_of_one_turn_leave_in_one_write(own_server: embedded.Servers) -> None:
    """On a server to which nobody else talks."""
    valkey = await Valkey.connect(own_server.valkey_url)
    before = int(await figure(valkey, "stats", "total_reads_processed"))
    await asyncio.gather(*(valkey("GET", f"k{n}") for n in range(300)))
    after = int(await figure(valkey, "stats", "total_reads_processed"))
    assert after - before == 2  # the 300 commands in one (7 of the 16 kB that the server reads), and INFO
    await valkey.close()


async def test_an_error_is_for_its_command_alone(valkey: Valkey) -> None:
    replies = await asyncio.gather(
        valkey("SET", "name", "stone"), valkey("INCR", "name"), valkey("GET", "name"), return_exceptions=True
    )
    assert replies[0] == b"OK"
    assert isinstance(replies[1], CommandRefused)
    assert replies[1].message == "Valkey refuses INCR: ERR value is not an integer or out of range"
    assert replies[2] == b"stone"


async def test_a_cancelled_caller_shifts_nobodys_reply(valkey: Valkey) -> None:
    one, two, three = (valkey("ECHO", word) for word in ("one", "two", "three"))
    two.cancel()
    assert [await one, await three] == [b"one", b"three"]


async def test_what_cannot_be_packed_is_never_sent(valkey: Valkey) -> None:
    with pytest.raises(TypeError):
        valkey("SET", "a", None)  # type: ignore[arg-type]
    assert await valkey("ECHO", "next") == b"next"


async def test_a_transaction_stays_together(valkey: Valkey) -> None:
    async def twice() -> list[int]:
        *_, done = [valkey("MULTI"), valkey("INCR", "n"), valkey("INCR", "n"), valkey("EXEC")]
        return list(await done)

    pairs = await asyncio.gather(*(twice() for _ in range(50)))
    assert [n for pair in pairs for n in pair] == list(range(1, 101))


async def test_a_restarted_server_is_found_again(own_server: embedded.Servers) -> None:
    valkey = await Valkey.connect(own_server.valkey_url)
    await valkey("SET", "kept", "beer")
    await valkey("WAITAOF", 1, 0, 2000)
    pid = await process_id(valkey)
    os.kill(pid, signal.SIGSTOP)
    in_flight = [valkey("GET", "kept") for _ in range(3)]
    await asyncio.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    assert [type(r) for r in await asyncio.gather(*in_flight, return_exceptions=True)] == [Unavailable] * 3
    down = valkey("GET", "kept")  # not the call raises, its reply does
    with pytest.raises(Unavailable):
        await down
    await asyncio.to_thread(own_server.ensure)
    assert await patiently(valkey, "GET", "kept") == b"beer"
    assert await process_id(valkey) != pid
    await valkey.close()


async def patiently(valkey: Valkey, *command: str) -> bytes:
    async with asyncio.timeout(5):
        while True:
            try:
                return bytes(await valkey(*command))
            except Unavailable:
                await asyncio.sleep(0.02)


async def test_a_silent_server_is_given_up(own_server: embedded.Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.3)
    valkey = await Valkey.connect(own_server.valkey_url)
    pid = await process_id(valkey)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(Unavailable):
        await asyncio.wait_for(valkey("PING"), 5)
    os.kill(pid, signal.SIGCONT)
    assert await patiently(valkey, "PING") == b"PONG"
    await valkey.close()


async def test_the_url_is_checked(embedded_settings: Settings) -> None:
    url = embedded_settings.valkey_url
    for wrong in ("http://localhost", "valkey://localhost:beer"):
        with pytest.raises(SetupError, match="is no URL of a Valkey"):
            await Valkey.connect(wrong)
    for refused in (url.replace("unix://:", "unix://:wrong"), "unix://" + urlsplit(url).path, url + "?db=99"):
        with pytest.raises(SetupError, match="refuses") as raised:
            await Valkey.connect(refused)
        assert "wrong" not in raised.value.message.replace("WRONGPASS", "")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 cannot be reached"):
        await Valkey.connect("valkey://127.0.0.1:1")


async def test_the_url_chooses_the_database(valkey: Valkey, embedded_settings: Settings) -> None:
    await valkey("SET", "where", "zero")
    three = await Valkey.connect(embedded_settings.valkey_url + "?db=3")
    assert await three("GET", "where") is None
    await three.close()


async def test_tls(
    valkey: Valkey, embedded_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded server has none, so a proxy in front of it speaks it."""
    certify(tmp_path / "pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "pem")
    path, password = urlsplit(embedded_settings.valkey_url).path, urlsplit(embedded_settings.valkey_url).password

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(path)
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer), return_exceptions=True)

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        url = f"rediss://default:{password}@127.0.0.1:{server.sockets[0].getsockname()[1]}/3"
        with pytest.raises(Unavailable, match="certificate"):
            await Valkey.connect(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "pem"))
        secure = await Valkey.connect(url)
        assert await secure("SET", "where", "three") == b"OK"
        await secure.close()
    assert await valkey("GET", "where") is None
