"""Which addresses a client may give, by what can be read off them. Where a name leads is looked at by each socket."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from beerforyou.errors import BadInput
from beerforyou.outside.public import Network, networks, reachable
from beerforyou.settings import Settings

LONGEST_URL = 2000  # characters; longer ones break proxies on the way
HTTPS = "give an address such as https://example.com/hooks/beer"


def check_url(url: str, settings: Settings) -> None:
    """Raises BadInput."""
    opened = networks(settings)
    if len(url) > LONGEST_URL:
        raise BadInput(f"url: it is longer than {LONGEST_URL} characters", "give a shorter one")
    if not url.isprintable() or " " in url:
        raise BadInput("url: it has blanks or control characters in it", HTTPS)
    parts = _parts(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and opened):
        raise BadInput(f"url: it begins with {parts.scheme or 'no scheme'}, not with https", HTTPS)
    if "@" in parts.netloc:
        raise BadInput("url: it has a user name or password in it", "messages are signed: check the signature instead")
    if "#" in url:
        raise BadInput("url: it has a fragment, which is never sent", "leave out # and what follows")
    if not _host_is_open(parts.hostname or "", opened):
        raise BadInput(f"url: {parts.hostname} is not a public address", "messages can only go to the internet")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        if parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # of the port, of brackets, or of a name that cannot be one
        pass
    raise BadInput("url: it has no host, or one that cannot be", HTTPS)


def _host_is_open(host: str, opened: Sequence[Network]) -> bool:
    """Of a host that is an address already; names are known when they are looked up."""
    try:
        ip_address(host)
    except ValueError:
        return True
    return reachable(host, opened)
