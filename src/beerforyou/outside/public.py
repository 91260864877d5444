"""Where a socket may lead: to public addresses, if a stranger gave us the address.

What counts is the address that it really connects to, so that no name that changes its answer and no spelling leads into
our own network.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult

from beerforyou.errors import SetupError
from beerforyou.settings import Settings, env_name

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
MayReach = Callable[[str], bool]  # by an address, as numbers

LOOKUPS = 32  # names that are looked up at a time

ASSIGNED = IPv6Network("2000::/3")  # what the rest of IPv6 is for is decided elsewhere: RFC 4291, 2.4
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
# What Python's registry does not have, or not in each version that we run on.
NOT_PUBLIC: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments, RFC 6890; one cloud has its metadata there
    IPv4Network("168.63.129.16/32"),  # another cloud's inner services, on an address that looks public
    IPv6Network("3fff::/20"),  # documentation, RFC 9637
)


def named_by_operator(address: str) -> bool:
    """Anywhere: who configures this installation may have a model, an identity provider or a mirror of the catalogue inside.
    Nobody else has a say in where it leads, since no redirect is followed."""
    return True


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


class Lookup(AbstractResolver):
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
