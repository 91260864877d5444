"""What strangers write into Retry-After: a number that can be reckoned with, or nothing."""

import pytest

from beerforyou.outside.retry_after import MOST_S, seconds

ARABIC = "٣٦٠٠"


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("0003600", 3600.0),
        ("1.5", 1.5),
        ("9" * 30, MOST_S),
        ("9" * 400, MOST_S),
        ("9" * 6000, MOST_S),
        ("1" * 400 + ".5", MOST_S),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MOST_S),
        ("Fri, 31 Dec 9999 23:59:59 -1200", MOST_S),  # in UTC there is no such day
        ("Fri, 31 Dec 9999 23:59:59 -0000", MOST_S),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0.0),
        ("Sun Nov  6 08:49:37 1994", 0.0),
        ("Sat, 01 Jan 0001 00:00:00 +1400", 0.0),
    ],
)
def test_what_is_asked_for(header: str, wait: float) -> None:
    assert seconds(header) == wait


@pytest.mark.parametrize(
    "header",
    [
        *("", " ", "soon", "-5", "-0", "+5", "nan", "inf", "-inf", "Infinity", "1e999", "1e3", "3_600", "0x10", "36 00"),
        *("1,5", ".5", "5.", "1" * 10 + "s", ARABIC, ARABIC.encode().decode("latin-1"), "²", "五", "120, 60", "\x00"),
        *("Fri, 31 Dec 99999999999 23:59:59 GMT", "Fri, 31 Dec 10000 23:59:59 GMT", "Fri, 32 Dec 2026 00:00:00 GMT"),
        *("Fri, 31 Dec 2026 25:00:00 GMT", "Fri, 31 Dec 2026 23:59:59 +9999", "Fri " * 1500, "9999-12-31T23:59:59Z"),
    ],
)  # fmt: skip
def test_what_says_nothing_usable(header: str) -> None:
    assert seconds(header) is None
