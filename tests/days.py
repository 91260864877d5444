"""`make days`: what depends on demo data, dates or statistics, on five other days; or any tests on one day of your choice.

`python -m tests.days` runs the tests marked `dated` on each of `days()`; `python -m tests.days 2028-02-29T12:00 -k recall`
runs what pytest is told to on that day. Debian's faketime moves the clock of every process, the servers' included.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

SAO_PAULO, AUCKLAND = ZoneInfo("America/Sao_Paulo"), ZoneInfo("Pacific/Auckland")
# The last two leave alone what is waited by: threads would wait for each other at length.
CLOCK = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_FORCE_MONOTONIC_FIX")
DATED = ("-q", "-m", "dated", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


def days(now: datetime) -> dict[str, tuple[datetime, str]]:
    """What each is called, when it is, and the zone that the processes run in. All are later than `now`."""
    return {
        "a 1st of January, in a zone that is ahead": (
            _next(now, AUCKLAND, 1, month=1, hour=0, minute=30),
            AUCKLAND.key,
        ),
        "a 29th of February": (_next(now, UTC, 29, month=2, hour=12), "UTC"),
        "the last minutes of a 31st": (_next(now, SAO_PAULO, 31, hour=23, minute=58), SAO_PAULO.key),
        "23:59 in São Paulo, with the server in UTC": (_next(now, SAO_PAULO, hour=23, minute=59), "UTC"),
        "a year ahead": (now + timedelta(days=365), "UTC"),
    }


def _next(now: datetime, zone: tzinfo, day: int = 0, *, month: int = 0, hour: int, minute: int = 0) -> datetime:
    """The first such moment after today."""
    moment = now.astimezone(zone).replace(hour=hour, minute=minute, second=0)
    while True:
        moment += timedelta(days=1)
        if day in (0, moment.day) and month in (0, moment.month):
            return moment


def environment(moment: datetime, zone: str) -> dict[str, str]:
    """That of a process, of several threads, for which it is that moment now. Raises FileNotFoundError without faketime."""
    asked = subprocess.run(
        ["faketime", "-m", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True, check=True
    )
    ahead = round((moment - datetime.now(UTC)).total_seconds())
    clock = dict(zip(CLOCK, (asked.stdout.strip(), f"{ahead:+}s", "1", "0"), strict=True))
    path = os.pathsep.join([str(Path(__file__).parent / "clock"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | clock | {"TZ": zone, "PYTHONPATH": path}


def run(moment: datetime, zone: str, *args: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *args], env=environment(moment, zone)).returncode


def main(args: list[str]) -> int:
    if args and args[0][:1].isdigit():
        return run(datetime.fromisoformat(args[0]).astimezone(), os.environ.get("TZ", ""), *args[1:])
    failed = []
    for name, (moment, zone) in days(datetime.now(UTC)).items():
        print(f"\n{name}: {moment.isoformat(' ', 'minutes')}, TZ={zone}", flush=True)
        if run(moment, zone, *DATED, *args):
            failed.append(name)
    print(f"\nFailed on: {'; '.join(failed)}" if failed else "\nThe same on every day.")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
