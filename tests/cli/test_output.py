"""What every command shares."""

from datetime import UTC, datetime

import pytest

from beerforyou.cli.output import moment


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("UTC", "2026-12-31 10:30"),
        ("Pacific/Kiritimati", "2027-01-01 00:30"),
        ("Pacific/Pago_Pago", "2026-12-30 23:30"),
        ("Asia/Kathmandu", "2026-12-31 16:15"),
    ],
)
def test_a_time_is_that_of_the_installations_clocks(monkeypatch: pytest.MonkeyPatch, zone: str, told: str) -> None:
    monkeypatch.setenv("BEERFORYOU_TIME_ZONE", zone)
    assert moment(datetime(2026, 12, 31, 10, 30, tzinfo=UTC), None) == told
