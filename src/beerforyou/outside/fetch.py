"""HTTP to whoever is not us. Nothing that comes back takes long, becomes large, or leads anywhere else."""

from __future__ import annotations

import errno
import math
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any, Self

import aiohttp

from beerforyou import __version__
from beerforyou.outside import permit
from beerforyou.outside.leave import asking_leave
from beerforyou.outside.public import Lookup, MayReach, reachable


class Unreadable(ValueError):
    """What came is not read: the sentence goes on after "the answer is"."""


class Outside:
    """`timeout_s` is for a whole call, with all that is read; `idle_s` for a connection that nobody uses. Calls raise
    aiohttp.ClientError, OSError and TimeoutError, and what the permit raises.

    Where to is checked at the socket: only public addresses, unless the operator named the address. How many calls there are
    at a time is for whoever calls to bound.
    """

    def __init__(
        self,
        timeout_s: float,
        may_reach: MayReach = reachable,
        headers: dict[str, str] | None = None,
        idle_s: float = 15.0,
    ) -> None:
        self._timeout_s, self._may_reach, self._idle_s = timeout_s, may_reach, idle_s
        self._headers = {"User-Agent": f"BeerForYou/{__version__}", "Accept-Encoding": "identity"} | (headers or {})

    def request(self, method: str, url: str, **more: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """A redirect is an answer."""
        permit.ask()
        return self._http.request(method, url, allow_redirects=False, **more)

    @cached_property
    def _http(self) -> aiohttp.ClientSession:
        """Made with the first call, because it belongs to a running loop."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=self._idle_s, resolver=self._names, socket_factory=self._socket
            ),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s, ceil_threshold=math.inf),  # to the moment
            auto_decompress=False,
            trust_env=False,
            trace_configs=[asking_leave()],
        )

    @cached_property
    def _names(self) -> Lookup:
        return Lookup()

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, proto, _, address = info
        if not self._may_reach(address[0]):
            raise PermissionError(errno.EACCES, f"{address[0]} is not a public address")
        return socket.socket(family, kind, proto)

    async def close(self) -> None:
        """It may be used again."""
        if http := self.__dict__.pop("_http", None):
            await http.close()
            await self.__dict__.pop("_names").close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def pieces(response: aiohttp.ClientResponse, most: int) -> AsyncIterator[bytes]:
    """As they come. Raises Unreadable: more than `most` bytes, or compressed, which was not asked for and may be a bomb."""
    if (coding := response.headers.get("Content-Encoding", "identity")) != "identity":
        raise Unreadable(f"compressed ({coding[:20]!r}), which it must not be")
    size = 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > most:
            raise Unreadable(f"larger than {most} bytes")
        yield piece


async def whole(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Raises Unreadable."""
    return b"".join([piece async for piece in pieces(response, most)])
