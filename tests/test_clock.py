"""A day belongs to a place. Moments are given, so that nothing here depends on when or where it runs."""

import os
import re
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from beerforyou import clock
from beerforyou.errors import SetupError
from beerforyou.settings import describe, load

WHERE = [
    # around midnight in UTC
    ("2026-11-28T23:59:59", "Pacific/Kiritimati", date(2026, 11, 29)),
    ("2026-11-28T23:59:59", "Asia/Kathmandu", date(2026, 11, 29)),
    ("2026-11-28T23:59:59", "UTC", date(2026, 11, 28)),
    ("2026-11-29T00:00:00", "UTC", date(2026, 11, 29)),
    ("2026-11-29T00:00:00", "America/Sao_Paulo", date(2026, 11, 28)),
    ("2026-11-29T00:00:00", "Pacific/Pago_Pago", date(2026, 11, 28)),
    # three days, two years, at one moment
    ("2026-12-31T10:30:00", "Pacific/Kiritimati", date(2027, 1, 1)),
    ("2026-12-31T10:30:00", "Europe/Lisbon", date(2026, 12, 31)),
    ("2026-12-31T10:30:00", "Pacific/Pago_Pago", date(2026, 12, 30)),
    # a quarter of an hour
    ("2026-02-28T18:14:59", "Asia/Kathmandu", date(2026, 2, 28)),
    ("2026-02-28T18:15:00", "Asia/Kathmandu", date(2026, 3, 1)),
    # the day of 25 hours in New York, 1 November, and the one of 23, 8 March
    ("2026-11-01T03:59:59", "America/New_York", date(2026, 10, 31)),
    ("2026-11-01T04:00:00", "America/New_York", date(2026, 11, 1)),
    ("2026-11-02T04:59:59", "America/New_York", date(2026, 11, 1)),
    ("2026-11-02T05:00:00", "America/New_York", date(2026, 11, 2)),
    ("2026-03-08T04:59:59", "America/New_York", date(2026, 3, 7)),
    ("2026-03-09T03:59:59", "America/New_York", date(2026, 3, 8)),
    ("2026-03-09T04:00:00", "America/New_York", date(2026, 3, 9)),
]
WRONG = [
    ("Sao_Paulo", "America/Sao_Paulo"),
    ("São Paulo", "America/Sao_Paulo"),
    ("america/sao_paulo", "America/Sao_Paulo"),
    ("America/New York", "America/New_York"),
    ("Auckland", "Pacific/Auckland"),
    ("GMT-3", "a place"),  # Etc/GMT-3 is six hours away
    ("<-03>3", "a place"),
    ("BRT", "such as America/Sao_Paulo"),
    ("localtime", "such as America/Sao_Paulo"),
    ("../../etc/passwd", "such as America/Sao_Paulo"),
    ("UTC'; DROP TABLE clients; --", "such as America/Sao_Paulo"),
]


@pytest.mark.parametrize(("moment", "zone", "day"), WHERE)
def test_the_day_is_that_of_the_place(moment: str, zone: str, day: date) -> None:
    assert clock.today(zone, datetime.fromisoformat(moment).replace(tzinfo=UTC)) == day


def test_all_days_are_those_of_one_moment() -> None:
    days = clock.days("Asia/Kathmandu", datetime(2026, 12, 31, 10, 30, tzinfo=UTC))
    assert days.keys() == {"", *clock.zones()} and days[""] == days["Asia/Kathmandu"]
    assert set(days.values()) == {date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1)}


def test_no_name_is_more_than_a_name() -> None:
    assert all(re.fullmatch(r"[\w+/-]+", zone, re.ASCII) for zone in clock.zones())


@pytest.mark.parametrize(("name", "instead"), WRONG)
def test_a_wrong_name_is_told_what_to_write(name: str, instead: str) -> None:
    with pytest.raises(ValueError, match="IANA name") as raised:
        clock.known(name)
    assert ascii(name) in str(raised.value) and instead in str(raised.value)
    with pytest.raises(SetupError, match="BEERFORYOU_TIME_ZONE") as refused:
        load({"BEERFORYOU_TIME_ZONE": name})
    assert instead in refused.value.message and refused.value.hint


def test_the_setting_wins() -> None:
    settings = load({"BEERFORYOU_TIME_ZONE": "Pacific/Kiritimati"})
    assert settings.time_zone == "Pacific/Kiritimati"
    (row,) = (row for row in describe(settings) if row["name"] == "BEERFORYOU_TIME_ZONE")
    assert (row["value"], row["default"]) == ("Pacific/Kiritimati", load({}).time_zone)


@pytest.mark.parametrize(
    ("tz", "zone"),
    [
        ("Pacific/Pago_Pago", "Pacific/Pago_Pago"),
        (":Asia/Kathmandu", "Asia/Kathmandu"),
        ("/usr/share/zoneinfo/America/New_York", "America/New_York"),
        (":/usr/share/zoneinfo/posix/Europe/Lisbon", "Europe/Lisbon"),
    ],
)
def test_a_process_takes_the_zone_of_its_environment(tz: str, zone: str) -> None:
    assert _process(tz) == (zone, f"{clock.today('Asia/Tokyo', datetime(2026, 1, 1, 15, tzinfo=UTC))}")


def _process(tz: str) -> tuple[str, ...]:
    """The zone of one with this TZ, and a day that is not its own."""
    asked = (
        "from datetime import UTC, datetime; from beerforyou import clock, settings; "
        "print(settings.load().time_zone, clock.today('Asia/Tokyo', datetime(2026, 1, 1, 15, tzinfo=UTC)))"
    )
    done = subprocess.run([sys.executable, "-c", asked], env=os.environ | {"TZ": tz}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tuple(done.stdout.split())


@pytest.mark.parametrize(
    ("localtime", "timezone", "zone"),
    [
        ("/usr/share/zoneinfo/America/Sao_Paulo", "Etc/UTC\n", "America/Sao_Paulo"),
        ("/var/db/timezone/zoneinfo/Pacific/Auckland", None, "Pacific/Auckland"),
        ("/usr/share/zoneinfo/Nowhere/Land", "Asia/Kathmandu\n", "Asia/Kathmandu"),
        (None, "Asia/Kathmandu", "Asia/Kathmandu"),
        (None, "nothing that is one", "UTC"),
        (None, None, "UTC"),
    ],
)
def test_the_system_is_asked_in_turn(tmp_path: Path, localtime: str | None, timezone: str | None, zone: str) -> None:
    _write(tmp_path, localtime, timezone)
    assert clock.of_system({}, tmp_path, _offset_s(zone)) == zone


@pytest.mark.parametrize("tz", ["", "Foo+3:17", "<-03>3"])
@pytest.mark.parametrize(("timezone", "zone"), [("Asia/Kathmandu", "Asia/Kathmandu"), (None, "UTC")])
def test_a_guess_that_the_system_does_not_go_by_is_none(tmp_path: Path, timezone: str, zone: str, tz: str) -> None:
    """Such as that of a container whose /etc/localtime is its host's, as a file."""
    _write(tmp_path, None, timezone)
    assert clock.of_system({"TZ": tz}, tmp_path, _offset_s(zone)) == zone
    with pytest.raises(SetupError, match="no name") as raised:
        clock.of_system({"TZ": tz}, tmp_path, _offset_s(zone) - 3 * 3600)
    assert "BEERFORYOU_TIME_ZONE" in raised.value.hint


def _write(etc: Path, localtime: str | None, timezone: str | None) -> None:
    if localtime:
        (etc / "localtime").symlink_to(localtime)
    if timezone:
        (etc / "timezone").write_text(timezone)


def _offset_s(zone: str) -> int:
    offset = clock.local(datetime.now(UTC), zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def test_the_system_of_these_tests_has_a_zone() -> None:
    assert _offset_s(load({}).time_zone) == time.localtime().tm_gmtoff
