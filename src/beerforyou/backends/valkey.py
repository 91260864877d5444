"""One connection to Valkey (or Redis) that a whole process shares.

The commands of one turn of the event loop leave in one write, and the replies come back in that order. A command that
blocks (BLPOP, XREAD BLOCK, WAIT) would hold up everybody behind it: give it a connection of its own. So would SUBSCRIBE:
subscriptions.py.
"""

import asyncio
import random
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, cast
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import hiredis

from beerforyou.errors import BeerForYouError, CommandRefused, SetupError, Unavailable

ANSWER_S = 5.0  # with commands in flight and nothing heard for so long, the connection is taken for dead
PAUSE_S = (0.02, 2.0)  # between attempts to connect again: the first, and the longest
NOT_READY = {"CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY"}  # error replies that pass by themselves
SCHEMES = {"valkey": False, "redis": False, "valkeys": True, "rediss": True, "unix": False}  # with TLS?
NO_REPLY = b"*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n"  # to the command after it
HINT = "is it running, and is VALKEY_URL right?"

Command = tuple[str | bytes | int | float, ...]


class Valkey:
    """`await valkey("GET", key)` gives bytes, an int, None, or a list of them.

    Commands raise CommandRefused, or Unavailable when the connection is down or dies before the reply: nobody can then say
    whether the command was carried out. A lost connection is made again in the background.
    Calls without an await between them stay together, so that MULTI ... EXEC works.
    """

    def __init__(self, address: "Address", wire: "Wire") -> None:
        self._address = address
        self._again: asyncio.Task[None] | None = None
        self._hold(wire)

    @classmethod
    async def connect(cls, url: str) -> "Valkey":
        """Raises SetupError (no such URL, wrong password) and Unavailable (nobody answers there)."""
        address = Address.parse(url)
        return cls(address, await connected(address))

    def __call__(self, *command: str | bytes | int | float) -> asyncio.Future[Any]:
        return self._wire.send(command)

    def tell(self, *command: str | bytes | int | float) -> None:
        """Whatever becomes of it. There is no reply, which would wake us up, where the server can keep it to itself."""
        self._wire.tell(command)

    async def close(self) -> None:
        self._wire.lost.remove_done_callback(self._lost)
        if self._again:
            self._again.cancel()
        await self._wire.close()

    def _hold(self, wire: "Wire") -> None:
        self._wire = wire
        wire.lost.add_done_callback(self._lost)

    def _lost(self, _: asyncio.Future[None]) -> None:
        self._again = asyncio.create_task(self._connect_again())

    async def _connect_again(self) -> None:
        self._hold(await connected_again(self._address))


class Wire(asyncio.Protocol):
    """One connection from its making to its loss. What was published reaches `published`, with its channel."""

    published: Callable[[bytes, bytes], None] | None = None
    silent = False  # whether the server can keep a reply to itself

    def __init__(self, where: str) -> None:
        self._where = where
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(notEnoughData=Wire)
        self._unsent: list[bytes] = []
        self._waiting: deque[tuple[asyncio.Future[Any], object]] = deque()
        self._heard = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None  # while replies are waited for, and some time on
        self.lost: asyncio.Future[None] = self._loop.create_future()

    def send(self, command: Command) -> asyncio.Future[Any]:
        packed = hiredis.pack_command(command)  # type: ignore[arg-type]  # its stub says: a tuple of one
        reply: asyncio.Future[Any] = self._loop.create_future()
        if self.lost.done():
            reply.set_exception(self._gone())
            return reply
        if not self._waiting:
            self._heard = self._loop.time()
            self._watch = self._watch or self._loop.call_later(ANSWER_S, self._check)
        self._write(packed)
        self._waiting.append((reply, command[0]))
        return reply

    def tell(self, command: Command) -> None:
        if not self.silent:
            self.send(command).add_done_callback(unheeded)
        elif not self.lost.done():
            self._write(NO_REPLY + hiredis.pack_command(command))  # type: ignore[arg-type]  # as above

    def _write(self, packed: bytes) -> None:
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(packed)

    def _flush(self) -> None:
        if not self.lost.done():
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self._reader.feed(data)
        while (value := self._reader.gets()) is not Wire:
            if self.published and isinstance(value, list) and value[0] == b"message":
                self.published(value[1], value[2])
                continue
            reply, name = self._waiting.popleft()
            if reply.done():  # its caller was cancelled
                continue
            if isinstance(value, hiredis.ReplyError):
                reply.set_exception(self._failure(name, str(value)))
            else:
                reply.set_result(value)

    def _failure(self, name: object, error: str) -> BeerForYouError:
        if error.partition(" ")[0] in NOT_READY:
            return Unavailable(f"Valkey at {self._where} is not ready: {error}", "try again in a moment")
        return CommandRefused(f"Valkey refuses {name!s}: {error}")

    def _gone(self) -> Unavailable:
        return Unavailable(f"Valkey at {self._where} does not answer", HINT)

    def _check(self) -> None:
        """A peer that vanished without a word closes nothing."""
        self._watch = None
        if not self._waiting:
            return
        if (left := self._heard + ANSWER_S - self._loop.time()) > 0:
            self._watch = self._loop.call_later(left, self._check)
        else:
            self.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch:
            self._watch.cancel()
        self.lost.set_result(None)
        for reply, _ in self._waiting:
            if not reply.done():
                reply.set_exception(self._gone())
        self._waiting.clear()

    def abort(self) -> None:
        self._transport.abort()

    async def close(self) -> None:
        """What was sent is still written; what has no reply yet raises Unavailable."""
        if not self.lost.done():
            self._flush()
            self._transport.close()
        await self.lost


async def connected(address: "Address") -> Wire:
    try:
        async with asyncio.timeout(ANSWER_S):
            wire = await address.open()
            try:
                await asyncio.gather(*map(wire.send, address.greeting))
                wire.silent = await _can_be_silent(wire)
            except BaseException:
                wire.abort()
                raise
    except CommandRefused as error:
        raise SetupError(
            f"Valkey at {address.where} refuses: {error}", "check the password and the number in VALKEY_URL"
        ) from None
    except OSError as error:  # a TimeoutError is one
        reason = error.strerror or "no answer"
        raise Unavailable(f"Valkey at {address.where} cannot be reached: {reason}", HINT) from None
    return wire


async def _can_be_silent(wire: Wire) -> bool:
    """Not each that speaks the protocol knows CLIENT REPLY, and one that does not would answer NO_REPLY itself."""
    try:
        await wire.send(("CLIENT", "REPLY", "ON"))
    except CommandRefused:
        return False
    return True


def unheeded(reply: asyncio.Future[Any]) -> None:
    """As the callback of a command whose reply nobody waits for, whatever it is."""
    if not reply.cancelled():
        reply.exception()


async def connected_again(address: "Address") -> Wire:
    """Tries until it succeeds."""
    pause, longest = PAUSE_S
    while True:
        try:
            return await connected(address)
        except (Unavailable, SetupError):
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
            pause = min(pause * 2, longest)


class Address(NamedTuple):
    host: str
    port: int
    path: str  # of a socket; host and port don't count then
    tls: bool
    greeting: list[Command]

    @classmethod
    def parse(cls, url: str) -> "Address":
        """valkey://, redis://, with TLS valkeys:// or rediss://, then user:password@host:port/db; or
        unix://user:password@/path/of/socket?db=0. Raises SetupError."""
        try:
            parts = urlsplit(url)
            port, tls = parts.port or 6379, SCHEMES[parts.scheme]
        except (ValueError, KeyError):
            raise SetupError(
                "VALKEY_URL is no URL of a Valkey", "valkey://:password@host:6379/0, for instance"
            ) from None
        path = unquote(parts.path) if parts.scheme == "unix" else ""
        return cls(parts.hostname or "localhost", port, path, tls, _greeting(parts))

    @property
    def where(self) -> str:
        return self.path or f"{self.host}:{self.port}"

    async def open(self) -> Wire:
        loop = asyncio.get_running_loop()
        if self.path:
            _, wire = await loop.create_unix_connection(lambda: Wire(self.where), self.path)
        else:
            context = ssl.create_default_context() if self.tls else None
            _, wire = await loop.create_connection(lambda: Wire(self.where), self.host, self.port, ssl=context)
        return wire


def _greeting(parts: SplitResult) -> list[Command]:
    who = [unquote(part) for part in (parts.username, parts.password) if part]
    database = parse_qs(parts.query).get("db", ["0"])[-1] if parts.scheme == "unix" else parts.path.strip("/")
    commands: list[Command] = [("AUTH", *who)] if who else []
    if database not in ("", "0"):
        commands.append(("SELECT", database))
    return [*commands, ("PING",)]
