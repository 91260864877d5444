"""One message to one receiver, who is a stranger: what comes back is a status, with little that it says to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import aiohttp
import msgspec

from beerforyou.errors import Unavailable
from beerforyou.outside.fetch import Outside
from beerforyou.outside.public import networks, reachable
from beerforyou.settings import Settings

MOST_BYTES = 64 * 1024  # of an answer; more is left unread
EXCERPT = 200  # characters of an answer that are kept, to say what went wrong


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """`excerpt` is the beginning of the body, printable and in one line."""

    status: int
    retry_after: str = ""
    excerpt: str = ""


class Sender:
    def __init__(self, settings: Settings) -> None:
        """Raises SetupError."""
        self._timeout_s = settings.webhook_timeout_s
        self._outside = Outside(self._timeout_s, partial(reachable, opened=networks(settings)))

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Raises Unavailable: no answer, whatever the reason."""
        answer = None
        try:
            async with self._outside.request("POST", url, data=body, headers=headers) as response:
                answer = Response(status=response.status, retry_after=response.headers.get("retry-after", ""))
                return msgspec.structs.replace(answer, excerpt=await _excerpt(response))
        except TimeoutError:
            failure = f"no answer within {self._timeout_s:g} s"
        except Exception as error:  # what a stranger sends, and whatever it does to a parser, is no error of ours
            failure = _printable(f"{type(error).__name__}: {error}")
        if answer:
            return answer  # its head says it all
        raise Unavailable(failure)

    async def close(self) -> None:
        await self._outside.close()


async def _excerpt(response: aiohttp.ClientResponse) -> str:
    """Reads what there is, so that the connection can be used again; from a long answer it is not."""
    first, read = b"", 0
    async for chunk in response.content.iter_any():
        first, read = first + chunk[: 4 * EXCERPT - len(first)], read + len(chunk)
        if read >= MOST_BYTES:
            break
    return _printable(first.decode(errors="replace"))


def _printable(text: str) -> str:
    """In one line, and not long."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:EXCERPT]
