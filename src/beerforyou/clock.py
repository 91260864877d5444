"""What day it is, and where. "Today" is the client's, never the process's: nothing else asks the system for a day.

A zone has an IANA name. Those that the package tzdata lists are all there are, so that no text of a stranger becomes one.
"""

import os
import time
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

from beerforyou.errors import SetupError

EXAMPLE = "America/Sao_Paulo"
SET_IT = f"set BEERFORYOU_TIME_ZONE to an IANA name, such as {EXAMPLE}"


@cache
def zones() -> frozenset[str]:
    return frozenset((resources.files("tzdata") / "zones").read_text("utf-8").split())


def today(zone: str, now: datetime | None = None) -> date:
    return local(now or datetime.now(UTC), zone).date()


def days(zone: str, now: datetime | None = None) -> dict[str, date]:
    """The day in every zone at one moment, and that of `zone` under the empty name: of clients who have none."""
    now = now or datetime.now(UTC)
    return {"": today(zone, now)} | {name: today(name, now) for name in zones()}


def local(moment: datetime, zone: str) -> datetime:
    """Raises SetupError."""
    return moment.astimezone(_zone(usable(zone)))


_zone = cache(ZoneInfo)  # each is a file


def usable(zone: str) -> str:
    """The name as it is, of one that was known when it was written down. Raises SetupError."""
    try:
        return known(zone)
    except ValueError as unknown:
        raise SetupError(f"a time zone {unknown}", "load its client again with another, or with none") from None


def known(zone: str) -> str:
    """The name as it is. Raises ValueError that says what to write instead."""
    if zone not in zones():
        raise ValueError(f"is {zone!a}, which is no IANA name; write {_nearest(zone)}")
    return zone


def _nearest(name: str) -> str:
    """By its place, however written. Not with digits: what most call GMT-3 is Etc/GMT+3 there."""
    if any(map(str.isdigit, name)):
        return f"a place, such as {EXAMPLE}"
    places = {_place(zone): zone for zone in sorted(zones(), reverse=True)}  # of two, the first
    close = get_close_matches(_place(name), places, 1, cutoff=0.8)
    return places[close[0]] if close else f"one such as {EXAMPLE}"


def _place(name: str) -> str:
    letters = unicodedata.normalize("NFD", name.rpartition("/")[2].strip().casefold().replace(" ", "_"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def of_system(environ: Mapping[str, str] = os.environ, etc: Path = Path("/etc"), offset_s: int | None = None) -> str:
    """By TZ, /etc/localtime (localtime(5)) or /etc/timezone (Debian's), else UTC. Raises SetupError where what one of the
    last two says is not what the system goes by: `offset_s` from UTC."""
    named = (
        _in_path(environ["TZ"].removeprefix(":"))
        if environ.get("TZ")
        else _in_path(os.path.realpath(etc / "localtime"))
    )
    if named:
        return named
    guess = _in_file(etc / "timezone") or "UTC"
    away = local(datetime.now(UTC), guess).utcoffset()
    if away is None or away.total_seconds() != (time.localtime().tm_gmtoff if offset_s is None else offset_s):
        raise SetupError("the system's time zone has no name that is known", SET_IT)
    return guess


def _in_path(text: str) -> str:
    """A name, or the path of a zone's file, such as /usr/share/zoneinfo/Asia/Kathmandu. Empty for any other text."""
    name = text.rpartition("zoneinfo/")[2].removeprefix("posix/")
    return name if name in zones() else ""


def _in_file(path: Path) -> str:
    try:
        return _in_path(path.read_text("utf-8", "replace").strip())
    except OSError:
        return ""
