"""The other days are the ones that they are called, and a process that is sent there believes it."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.days import AUCKLAND, SAO_PAULO, days, environment

NOWS = [
    datetime(2026, 11, 28, 22, tzinfo=UTC),
    datetime(2028, 2, 29, 12, tzinfo=UTC),
    datetime(2026, 12, 31, 13, tzinfo=UTC),
]


@pytest.mark.parametrize("now", NOWS, ids=str)
def test_all_are_ahead_and_what_they_are_called(now: datetime) -> None:
    first, leap, last, night, year = (moment for moment, _ in days(now).values())
    assert min(first, leap, last, night, year) > now and year == now + timedelta(days=365)
    assert f"{first.astimezone(AUCKLAND):%d.%m.}" == "01.01." != f"{first.astimezone(UTC):%d.%m.}"
    assert f"{leap:%d.%m.}" == "29.02." and last.astimezone(SAO_PAULO).day == 31
    assert night.astimezone(SAO_PAULO).date() < night.astimezone(UTC).date()


def test_a_process_and_its_children_live_on_that_day() -> None:
    if not shutil.which("faketime"):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("faketime is not installed")
    clock = environment(datetime(2040, 2, 29, 12, tzinfo=UTC), "UTC")
    asked = [sys.executable, "-c", "import os; os.system('date +%F')"]
    assert subprocess.run(asked, env=clock, capture_output=True, text=True).stdout == "2040-02-29\n"
