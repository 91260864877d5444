"""HTTP to addresses that strangers gave us.

What counts is the address that a socket really connects to, so that no name that changes its answer, no spelling and no
redirect leads into our own network. Nothing that comes back can take long or become large.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from beerforyou import __version__
from beerforyou.errors import SetupError, Unavailable
from beerforyou.settings import Settings, env_name

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MOST_BYTES = 64 * 1024  # of an answer; more is left unread
EXCERPT = 200  # characters of an answer that are kept, to say what went wrong
LOOKUPS = 32  # names that are looked up at a time

ASSIGNED = IPv6Network("2000::/3")  # what the rest of IPv6 is for is decided elsewhere: RFC 4291, 2.4
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
# What Python's registry does not have, or not in each version that we run on.
NOT_PUBLIC: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments, RFC 6890; one cloud has its metadata there
    IPv4Network("168.63.129.16/32"),  # another cloud's inner services, on an address that looks public
    IPv6Network("3fff::/20"),  # documentation, RFC 9637
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """`excerpt` is the beginning of the body, printable and in one line."""

    status: int
    retry_after: str = ""
    excerpt: str = ""


class Outside:
    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.webhook_timeout_s
        self._networks = networks(settings)
        self._names = _Names()
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, resolver=self._names, socket_factory=self._socket),
            headers={"user-agent": f"BeerForYou/{__version__}", "accept-encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # ours ends a slow drip too
            auto_decompress=False,
            trust_env=False,
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises Unavailable: no answer, whatever the reason."""
        answer = None
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.post(url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                answer = Answer(status=response.status, retry_after=response.headers.get("retry-after", ""))
                return msgspec.structs.replace(answer, excerpt=await _excerpt(response))
        except TimeoutError:
            failure = f"no answer within {self._timeout_s:g} s"
        except Exception as error:  # what a stranger sends, and whatever it does to a parser, is no error of ours
            failure = printable(f"{type(error).__name__}: {error}")
        if answer:
            return answer  # its head says it all
        raise Unavailable(failure)

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, proto, _, address = info
        if not reachable(address[0], self._networks):
            raise PermissionError(errno.EACCES, f"{address[0]} is not a public address")
        return socket.socket(family, kind, proto)

    async def close(self) -> None:
        await self._http.close()
        await self._names.close()


def networks(settings: Settings) -> list[Network]:
    """The private networks that the operator opened. Raises SetupError."""
    try:
        return [ip_network(part.strip()) for part in settings.webhook_networks.split(",") if part.strip()]
    except ValueError as error:
        raise SetupError(
            f"{env_name('webhook_networks')}: {error}", "write networks as 10.0.0.0/8, separated by commas"
        ) from None


def reachable(address: str, opened: Sequence[Network] = ()) -> bool:
    """Whether a stranger may send us there: a public address, or one in a network that the operator opened."""
    inner = _inner(ip_address(address.partition("%")[0]))
    return any(inner in network for network in opened) or _public(inner)


def _inner(address: Address) -> Address:
    """An IPv6 address may carry an IPv4 address that the packets go to in the end."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in ASSIGNED:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in NOT_PUBLIC)


def printable(text: str) -> str:
    """In one line, and not long."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:EXCERPT]


async def _excerpt(response: aiohttp.ClientResponse) -> str:
    """Reads what there is, so that the connection can be used again; from a long answer it is not."""
    first, read = b"", 0
    async for chunk in response.content.iter_any():
        first, read = first + chunk[: 4 * EXCERPT - len(first)], read + len(chunk)
        if read >= MOST_BYTES:
            break
    return printable(first.decode(errors="replace"))


class _Names(AbstractResolver):
    """Looks names up in threads of its own: a stranger's name server that is silent holds up no other part of the process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS, "names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=str(at[0]), port=port, family=kind, proto=proto, flags=numeric)
            for kind, _, proto, _, at in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
