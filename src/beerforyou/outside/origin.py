"""One address that the operator named and that is asked all day: requests go out on kept connections, each of them once.

With few objects a call, where `fetch.py` is for everybody else; what comes back is read in `http1.py`.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from contextvars import Context
from functools import cached_property
from socket import SOCK_STREAM
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohappyeyeballs import AddrInfoType, start_connection

from beerforyou import __version__
from beerforyou.outside import permit
from beerforyou.outside.http1 import Answer, Broken, Connection
from beerforyou.outside.public import Lookup

MOST_KEPT = 1000  # connections that nobody uses; those in use have no limit but that of file descriptors
NAMES_S = 10.0  # that a look-up of the name holds, as aiohttp's do
EYEBALLS_S = 0.25  # RFC 8305: before the next address is tried beside the first


class Origin:
    """`url` is http(s)://host:port/path, with user:password@ where it wants that; `idle_s` for a connection that nobody uses.

    A request leaves once. Only a connection that is known to be closed before the first byte is written is replaced.
    Raises ValueError: no such URL.
    """

    def __init__(self, url: str, headers: Mapping[str, str], timeout_s: float, idle_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("an address is https://host")
        self._tls = parts.scheme == "https"
        self._host = parts.hostname.encode("idna").decode()
        self._port = parts.port or (443 if self._tls else 80)
        self._path = parts.path.rstrip("/")
        self._timeout_s, self._idle_s = timeout_s, idle_s
        host = f"[{self._host}]" if ":" in self._host else self._host
        usual = {
            "Host": f"{host}:{parts.port}" if parts.port else host,
            "User-Agent": f"BeerForYou/{__version__}",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
        }
        if parts.username is not None:
            who = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            usual["Authorization"] = f"Basic {b64encode(who.encode()).decode()}"
        self._head = _head(self._path, usual | dict(headers))
        self._closed = False
        self._kept: deque[Connection] = deque()  # the last one used is on the right
        self._sweep: asyncio.TimerHandle | None = None
        self._found: asyncio.Future[list[AddrInfoType]] | None = None
        self._found_until = 0.0

    async def post(self, path: str, body: bytes, answer: Answer, most: int) -> None:
        """`most`: bytes of the body that are read. Raises Unreadable, OSError, TimeoutError, and what the permit and `answer` do.

        The connection is kept only when the reply was read to its end.
        """
        permit.ask()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_s
        first = f"POST {self._path}{path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n".encode("ascii")
        request = [b"".join((first, self._head, body))]
        del body  # nor is the request kept once it has left: a reply takes many seconds
        connection = self._quiet() or await self._opened(deadline)
        try:
            permit.ask()
            kept = await connection.exchange(request.pop(), answer, most, deadline)
        except BaseException:
            connection.abort()
            raise
        if kept and connection.usable() and not self._closed:
            self._keep(connection)
        else:
            connection.abort()

    async def close(self) -> None:
        """Calls under way come to their end."""
        self._closed = True
        while self._kept:
            self._kept.pop().abort()
        if self._sweep:
            self._sweep.cancel()
        if names := self.__dict__.pop("_names", None):
            await names.close()

    def _quiet(self) -> Connection | None:
        while self._kept:
            connection = self._kept.pop()
            if connection.quiet():
                return connection
            connection.abort()
        return None

    def _keep(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        connection.kept_until = loop.time() + self._idle_s
        self._kept.append(connection)
        if len(self._kept) > MOST_KEPT:
            self._kept.popleft().abort()
        if self._sweep is None:
            self._sweep = loop.call_at(connection.kept_until, self._swept, context=Context())

    def _swept(self) -> None:
        loop = asyncio.get_running_loop()
        while self._kept and self._kept[0].kept_until <= loop.time():
            self._kept.popleft().abort()
        first = self._kept[0].kept_until if self._kept else None
        self._sweep = None if first is None else loop.call_at(first, self._swept, context=Context())

    async def _opened(self, deadline: float) -> Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout_at(deadline):
            try:
                wire = await start_connection(await self._addresses(), happy_eyeballs_delay=EYEBALLS_S, interleave=1)
            except TimeoutError:  # the system's, sooner than ours
                raise Broken("no connection in time") from None
            try:
                tls: dict[str, Any] = {"ssl": self._trust, "server_hostname": self._host} if self._tls else {}
                _, connection = await loop.create_connection(lambda: Connection(wire), sock=wire, **tls)
            except BaseException:
                wire.close()
                raise
        return connection

    async def _addresses(self) -> list[AddrInfoType]:
        """One look-up for all who wait for it."""
        loop = asyncio.get_running_loop()
        if self._found is None or self._found_until < loop.time():
            self._found, self._found_until = asyncio.ensure_future(self._look_up()), loop.time() + NAMES_S
        try:
            return await asyncio.shield(self._found)
        except OSError:
            self._found = None
            raise

    async def _look_up(self) -> list[AddrInfoType]:
        found = await self._names.resolve(self._host, self._port)
        return [(at["family"], SOCK_STREAM, at["proto"], "", (at["host"], at["port"])) for at in found]

    @cached_property
    def _names(self) -> Lookup:
        return Lookup()

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """The system's certificate authorities, or those of SSL_CERT_FILE."""
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context


def _head(path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if " " in path or not all(line.isascii() and line.isprintable() for line in (path, *lines)):
        raise ValueError("a path or a header holds a character that none may")
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii")
