"""Open Brewery DB over HTTP: page by page at the pace that it allows, and on again after a break."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from beerforyou.catalogue.rows import Row
from beerforyou.errors import BadInput, Unavailable
from beerforyou.outside import retry_after
from beerforyou.outside.fetch import Outside, Unreadable, whole
from beerforyou.outside.patience import bounded, patiently
from beerforyou.outside.public import named_by_operator

PER_PAGE = 200  # the most that the API gives
MAX_BYTES = 64 * 1024 * 1024  # the whole set as CSV has 2.2 MB
PROGRESS_LIVES_S = 24 * 3600  # older pages belong to another state of the source
PASSING = (408, 425, 429)  # with every 5xx: another try may do
LONGEST_URL = 200  # characters that are shown
WHERE = "give the address of Open Brewery DB, or a CSV file"

OnPage = Callable[[int, int], None]  # pages read, of how many


class Pace(msgspec.Struct, frozen=True):
    """Seconds. The API allows 120 requests a minute from one address."""

    between: float = 0.5
    backoff: float = 1.0  # doubled with each try
    longest: float = 60.0  # that is ever waited, whatever the server says
    tries: int = 6
    timeout: float = 30.0


class Progress(msgspec.Struct, frozen=True):
    """The first line of the file that keeps pages until the sync is done; each page is a line after it."""

    source: str
    total: int
    started: float


def without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)


class _Passing(Unavailable):
    """Worth another try."""

    retry_after_s: float | None = None


class Web:
    """GET with patience. Raises Unavailable (worth another try later) and BadInput (the address is wrong)."""

    def __init__(self, pace: Pace) -> None:
        # Without Accept, a validation error would come as a redirect to a page for people.
        self.outside = Outside(pace.timeout, named_by_operator, {"Accept": "application/json, text/csv"})
        self._pace, self._next = pace, 0.0

    async def get(self, url: str, **params: int) -> bytes:
        return await patiently(
            partial(self._once, url, params),
            self._again,
            first_s=self._pace.backoff,
            longest_s=self._pace.longest,
            jitter_s=self._pace.backoff,
            tries=self._pace.tries,
        )

    async def _once(self, url: str, params: dict[str, int]) -> bytes:
        await self._turn()
        shown = without_password(url)
        try:
            async with self.outside.request("GET", url, params=params) as response:
                if response.status == 200:
                    return await whole(response, MAX_BYTES)
        except Unreadable as error:
            raise BadInput(f"{shown}: the answer is {error}", WHERE) from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._passing(f"{shown} cannot be reached: {type(error).__name__}") from None
        problem = f"{shown} answered {response.status}"
        if response.status < 500 and response.status not in PASSING:
            elsewhere = response.headers.get("location", "")
            raise BadInput(f"{problem}, and points to {elsewhere[:LONGEST_URL]}" if elsewhere else problem, WHERE)
        raise self._passing(problem, retry_after.seconds(response.headers.get("retry-after", "")))

    def _passing(self, problem: str, retry_after_s: float | None = None) -> _Passing:
        """Only the last one is shown."""
        error = _Passing(
            f"{problem}, {self._pace.tries} times in a row", "try again later; it goes on where it stopped"
        )
        error.retry_after_s = retry_after_s
        return error

    def _again(self, error: Exception) -> bool | float:
        return isinstance(error, _Passing) and bounded(error.retry_after_s, self._pace.longest)

    async def _turn(self) -> None:
        now = time.monotonic()
        self._next = max(self._next, now) + self._pace.between
        await asyncio.sleep(self._next - self._pace.between - now)


async def api_rows(http: Web, source: str, progress: Path | None, on_page: OnPage) -> list[Row]:
    """Every row of the API. Raises BadInput when it is not what its own count says."""
    base = source.rstrip("/").removesuffix("/breweries").removesuffix("/v1")
    total = _total(await http.get(f"{base}/v1/breweries/meta"), source)
    pages, wanted = _kept(progress, base, total), math.ceil(total / PER_PAGE)
    while len(pages) < wanted:
        body = await http.get(f"{base}/v1/breweries", page=len(pages) + 1, per_page=PER_PAGE)
        pages.append(_page(body, source, len(pages) + 1))
        _keep(progress, pages[-1])
        on_page(len(pages), wanted)
        if len(pages[-1]) < PER_PAGE:
            break  # the last page, whatever the count says
    rows: list[Row] = [
        (f"page {page}, entry {entry}", row)
        for page, found in enumerate(pages, start=1)
        for entry, row in enumerate(found, start=1)
    ]
    if len(rows) != total:
        forget(progress)
        raise BadInput(
            f"{source} counts {total} breweries but sent {len(rows)}", "it changed meanwhile, or was cut off: try again"
        )
    return rows


def forget(progress: Path | None) -> None:
    if progress:
        progress.unlink(missing_ok=True)


def _kept(progress: Path | None, source: str, total: int) -> list[list[dict[str, Any]]]:
    """The pages that an earlier try read, when they are of the same source in the same state; else a new file."""
    lines = progress.read_bytes().splitlines(keepends=True) if progress and progress.exists() else []
    whole = [line for line in lines if line.endswith(b"\n")]  # the last one may be cut off
    try:
        first = msgspec.json.decode(whole[0], type=Progress) if whole else Progress("", 0, 0.0)
        pages = [msgspec.json.decode(line, type=list[dict[str, Any]]) for line in whole[1:]]
    except msgspec.DecodeError:
        first, pages = Progress("", 0, 0.0), []
    if (first.source, first.total) == (source, total) and time.time() - first.started < PROGRESS_LIVES_S and progress:
        progress.write_bytes(b"".join(whole))
        return pages
    forget(progress)
    _keep(progress, Progress(source, total, time.time()))
    return []


def _keep(progress: Path | None, line: Any) -> None:
    if progress:
        with progress.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")


def _total(body: bytes, source: str) -> int:
    try:
        return int(msgspec.json.decode(body, type=dict[str, Any])["total"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        raise BadInput(
            f"{source} does not say how many breweries it has", "give the address of Open Brewery DB"
        ) from None


def _page(body: bytes, source: str, page: int) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(body, type=list[dict[str, Any]])
    except msgspec.DecodeError as error:
        raise BadInput(f"{source}, page {page}: no list of breweries ({error})", "try again later") from None
