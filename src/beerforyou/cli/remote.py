"""A server somewhere, as the command line asks it: over HTTP, with a token, and again where it broke off."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import msgspec

from beerforyou.api.resources import AcceptedRun, Problem
from beerforyou.cli.announced import Card, found
from beerforyou.errors import BadUsage, BeerForYouError, Conflict, NotAuthenticated, SetupError, Unavailable
from beerforyou.settings import Settings

CONNECT_S, SILENT_S = 5.0, 60.0  # a stream says every 15 s that it is still there
HEALTH_S = 2.0  # a server of this folder that takes longer is no help
PATIENCE_S = 15.0  # with a server that went away in mid-answer; `serve` is back in three seconds
AGAIN_S = 0.3
LONGEST_LINE = 4 << 20  # bytes: an answer is one
TOKEN_S = 900  # made anew for each request


class Server(msgspec.Struct, frozen=True):
    """`token` makes one for each request; `again` finds the address of whoever took its place."""

    address: str
    token: Callable[[], str]
    again: Callable[[], str | None]


async def server(settings: Settings, client_id: str) -> Server | None:
    """At BEERFORYOU_URL, or on this data folder; None when there is neither. Raises BadUsage and SetupError."""
    if settings.url:
        address = _checked_url(settings.url)
        return Server(address, _token(settings, client_id, address), lambda: address)
    if settings.auth_jwks_url:  # its tokens are not ours to make
        return None
    for card in found(settings):
        if await _answers(card):
            return Server(card.address, _minted(settings, client_id), lambda: _newest(settings))
    return None


def _newest(settings: Settings) -> str | None:
    return next((card.address for card in found(settings)), None)


async def _answers(card: Card) -> bool:
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError):
        async with asyncio.timeout(HEALTH_S), _session() as http, http.get(f"{card.address}/healthz") as response:
            return bool(msgspec.json.decode(await response.read()) == {"status": "ok"})
    return False


def _checked_url(url: str) -> str:
    """Raises BadUsage: a token goes there, and whoever reads it speaks for the client."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment or "@" in parts.netloc:
        raise BadUsage(f"BEERFORYOU_URL: {url!r} is not the address of a server", "such as https://beer.example.com")
    if parts.scheme == "http" and not _is_loopback(host):
        raise BadUsage(
            f"BEERFORYOU_URL: a token would go to {host} in the clear", "use https, or a tunnel to localhost"
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())


def _token(settings: Settings, client_id: str, address: str) -> Callable[[], str]:
    """The one that is set, or one of our making where the key is known to be that server's."""
    if settings.token:
        spoken_for = claim(settings.token, settings.auth_client_claim)
        if spoken_for not in (None, client_id):
            raise BadUsage(
                f"BEERFORYOU_TOKEN speaks for {spoken_for}, and not for {client_id}", "leave one of them out"
            )
        return lambda: settings.token
    ours = settings.auth_secret or any(card.address == address for card in found(settings))
    if not ours or settings.auth_jwks_url:
        raise SetupError(
            f"BEERFORYOU_URL is set, and there is no token to speak for {client_id} at {address}",
            "set BEERFORYOU_TOKEN to one of that server, or BEERFORYOU_AUTH_SECRET to its key",
        )
    return _minted(settings, client_id)


def _minted(settings: Settings, client_id: str) -> Callable[[], str]:
    from beerforyou.api.tokens import mint

    return lambda: mint(settings, client_id, TOKEN_S)


def claim(token: str, name: str) -> object:
    """What a token says of itself; the server is who verifies it. None when it cannot be read."""
    import jwt

    with contextlib.suppress(jwt.PyJWTError):
        return jwt.decode(token, options={"verify_signature": False}).get(name)
    return None


def _session() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENT_S)
    return aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), read_bufsize=LONGEST_LINE)


@contextlib.asynccontextmanager
async def connected(server: Server) -> AsyncIterator[There]:
    async with _session() as http:
        yield There(server, http)


class There:
    def __init__(self, server: Server, http: aiohttp.ClientSession) -> None:
        self._server, self._http = server, http
        self.where = server.address

    async def accept(self, message: str, conversation: UUID | None) -> tuple[UUID, UUID]:
        said: dict[str, Any] = {"message": message} | ({"conversation_id": conversation} if conversation else {})
        accepted = msgspec.convert(await self._json("POST", "/v1/runs", said), AcceptedRun)
        if accepted.run_id is None:
            raise Conflict(
                f"a person answers in conversation {accepted.conversation_id}", "your message is kept for them"
            )
        return accepted.run_id, accepted.conversation_id

    async def look(self, run_id: UUID) -> Any:
        return await self._json("GET", f"/v1/runs/{run_id}?include=steps")

    async def cancel(self, run_id: UUID) -> None:
        await self._json("POST", f"/v1/runs/{run_id}/cancel")

    async def events(self, run_id: UUID) -> AsyncGenerator[tuple[str, dict[str, Any]]]:
        """To the last one, whoever serves it: a server that goes away in between is waited for."""
        after, patient_until = 0, 0.0
        while True:
            why = "it ended in the middle"
            try:
                async with self._asked("GET", f"/v1/runs/{run_id}/events", after=after) as response:
                    async for seq, kind, data in _events(response):
                        after, patient_until = seq, 0.0
                        yield kind, data
                        if kind == "finished":
                            return
            except Unavailable as error:
                why = error.message
            patient_until = patient_until or time.monotonic() + PATIENCE_S
            if time.monotonic() > patient_until:
                raise Unavailable(f"the answer broke off: {why}", f"it is kept, and will be at /v1/runs/{run_id}")
            await asyncio.sleep(AGAIN_S)
            self.where = self._server.again() or self.where

    async def _json(self, method: str, path: str, body: Any = None) -> Any:
        async with self._asked(method, path, body) as response:
            return msgspec.json.decode(await response.read())

    @contextlib.asynccontextmanager
    async def _asked(
        self, method: str, path: str, body: Any = None, after: int = 0
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Raises what the server's own error is, and Unavailable when it does not answer, or breaks off."""
        headers = {"authorization": f"Bearer {self._server.token()}", "last-event-id": str(after)}
        data = None if body is None else msgspec.json.encode(body)
        try:
            async with self._http.request(
                method, f"{self.where}{path}", data=data, headers=headers, allow_redirects=False
            ) as response:
                if response.status >= 300:
                    raise _refusal(response.status, await response.read(), self.where)
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError) as error:
            raise Unavailable(
                f"{self.where} does not answer: {error or type(error).__name__}", "is `beerforyou serve` running there?"
            ) from None


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[int, str, dict[str, Any]]]:
    """Of a stream of server-sent events, as `serve` writes them: id, event and data, a line each."""
    fields: dict[bytes, bytes] = {}
    async for line in response.content:
        name, _, value = line.rstrip(b"\r\n").partition(b": ")
        if name:
            fields[name] = value
        elif b"data" in fields:
            yield int(fields[b"id"]), fields[b"event"].decode(), msgspec.json.decode(fields[b"data"])
            fields = {}


def _refusal(status: int, content: bytes, address: str) -> BeerForYouError:
    """The error that was sent as a problem document; of whoever sends something else, that it is no server of ours."""
    try:
        problem = msgspec.json.decode(content, type=Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return SetupError(f"{address} answered {status}, as no BeerForYou does", "check BEERFORYOU_URL")
    kinds = {kind.__name__: kind for kind in _kinds(BeerForYouError)}
    named = "".join(word.capitalize() for word in problem.type.rpartition(":")[2].split("-"))
    error = kinds.get(named, BeerForYouError)(problem.detail, problem.hint)
    if isinstance(error, NotAuthenticated):
        error.hint = "set BEERFORYOU_TOKEN to a token of that server"
    return error


def _kinds(kind: type[BeerForYouError]) -> list[type[BeerForYouError]]:
    return [kind, *(below for sub in kind.__subclasses__() for below in _kinds(sub))]
