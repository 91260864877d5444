"""A proxy between our processes and PostgreSQL that reads along: statements, plans, round trips, ends of transactions.

Messages are as PostgreSQL's documentation has them ("Frontend/Backend Protocol", Message Formats).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import msgspec

from beerforyou.settings import Settings
from bench.service import URLS

SOCKET = ".s.PGSQL.5432"
SHOWN = 100  # characters of a statement, by which it is known


class Asked(msgspec.Struct):
    """`trips`: times that somebody sent after the server's last word. `ends`: of transactions, those that only read as well."""

    statements: int = 0
    plans: int = 0
    trips: int = 0
    ends: int = 0
    texts: Counter[str] = msgspec.field(default_factory=Counter)


class Tap:
    """One connection, read along in both directions."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._sent, self._said = bytearray(), bytearray()
        self._started = self._heard = False
        self._named: dict[bytes, str] = {}
        self._bound = ""

    def sent(self, data: bytes) -> None:
        self._asked.trips += self._heard
        self._heard = False
        self._sent += data
        if not self._started:  # the first message has no type, and comes in one piece
            del self._sent[: int.from_bytes(self._sent[:4], "big")]
            self._started = True
        for kind, body in _messages(self._sent):
            self._count(kind, body)

    def said(self, data: bytes) -> None:
        self._heard = True
        self._said += data
        self._asked.ends += sum(kind == b"Z" and body == b"I" for kind, body in _messages(self._said))

    def _count(self, kind: bytes, body: bytes) -> None:
        if kind == b"P":  # Parse: name, text
            name, text, _ = body.split(b"\0", 2)
            self._named[name] = _short(text)
            self._asked.plans += 1
        elif kind == b"B":  # Bind: portal, name
            self._bound = self._named.get(body.split(b"\0", 2)[1], "?")
        elif kind == b"E":  # Execute
            self._asked.statements += 1
            self._asked.texts[self._bound] += 1
        elif kind == b"Q":  # Query, perhaps several
            self._asked.statements += sum(bool(part.strip(b"\0 \n")) for part in body.split(b";"))
            self._asked.texts[_short(body.rstrip(b"\0"))] += 1


class Proxy:
    """A socket for each role; `urls` lead there, by role and setting."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings, self._folder = settings, folder
        self.asked = {"api": Asked(), "worker": Asked()}
        self.urls: dict[str, dict[str, str]] = {}

    async def listen(self, stack: AsyncExitStack) -> None:
        there = Path(parse_qs(urlsplit(self._settings.database_url).query)["host"][0]) / SOCKET
        for role, asked in self.asked.items():
            folder = self._folder / f"to-{role}"
            folder.mkdir()
            listening = await asyncio.start_unix_server(_through(asked, there), folder / SOCKET)
            stack.callback(listening.close)
            fields = [field for field in URLS if field.startswith("database_")]
            self.urls[role] = {field: _by(getattr(self._settings, field), folder) for field in fields}


@asynccontextmanager
async def proxied(settings: Settings, folder: Path) -> AsyncIterator[Proxy]:
    async with AsyncExitStack() as stack:
        proxy = Proxy(settings, folder)
        await proxy.listen(stack)
        yield proxy


Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _through(asked: Asked, there: Path) -> Connected:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_unix_connection(there)
        tap = Tap(asked)
        await asyncio.gather(_pump(reader, to_server, tap.sent), _pump(server, writer, tap.said))

    return connected


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tell: Callable[[bytes], None]) -> None:
    try:
        while data := await reader.read(1 << 18):
            tell(data)
            writer.write(data)
    except ConnectionError:
        pass  # either may hang up
    writer.close()


def _messages(buffer: bytearray) -> list[tuple[bytes, bytes]]:
    """The whole ones, taken out of it: a byte for the kind, four for the length, which counts itself."""
    found, at = [], 0
    while len(buffer) >= at + 5 and len(buffer) >= (end := at + 1 + int.from_bytes(buffer[at + 1 : at + 5], "big")):
        found.append((bytes(buffer[at : at + 1]), bytes(buffer[at + 5 : end])))
        at = end
    del buffer[:at]
    return found


def _short(text: bytes) -> str:
    return " ".join(text.decode(errors="replace").split())[:SHOWN]


def _by(url: str, folder: Path) -> str:
    return urlsplit(url)._replace(query=f"host={quote(str(folder))}").geturl()
