"""A source is taken whole or refused with the line that is wrong."""

import csv
from io import StringIO
from pathlib import Path

import pytest

from beerforyou.catalogue.rows import NEEDED, checked, csv_rows
from beerforyou.catalogue.sync import read_csv
from beerforyou.errors import BadInput

GOOD = {
    "id": "a1", "name": "Harbor  Light\tBrewing", "brewery_type": "micro", "address_1": "1 Pier", "address_2": "Unit 2",
    "city": " San Diego ", "state_province": "California", "postal_code": "92101", "country": "United States",
    "phone": "", "website_url": "", "longitude": "-117.16", "latitude": "32.72",
}  # fmt: skip


def text(*rows: dict[str, str], columns: tuple[str, ...] = (*NEEDED, "address_2", "address_3")) -> bytes:
    out = StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def refused(data: bytes) -> str:
    with pytest.raises(BadInput) as error:
        checked(csv_rows(data, "some.csv"), "some.csv")
    assert error.value.hint
    return error.value.message


def test_a_good_row_is_tidied() -> None:
    (brewery,) = checked(csv_rows(text(GOOD), "some.csv"), "some.csv").breweries
    assert (brewery.name, brewery.city, brewery.address) == ("Harbor Light Brewing", "San Diego", "1 Pier, Unit 2")
    assert (brewery.latitude, brewery.longitude) == (32.72, -117.16)


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u202e", "\u2066", "\ufeff", "\u00ad", "\u3164", "\u2800", "\U000e0041", "\u00a0\u200b "]
)
def test_what_nobody_sees_is_left_out_of_names_and_refused_in_ids(unseen: str) -> None:
    columns = ("name", "city", "state_province", "country", "address_1", "phone", "website_url", "postal_code")
    row = GOOD | {name: f"{unseen}{GOOD[name]}{unseen}" for name in columns}
    brewery, plain = (checked(csv_rows(text(each), "some.csv"), "some.csv").breweries for each in (row, GOOD))
    assert brewery == plain
    assert "characters that nobody sees" in refused(text(GOOD | {"id": f"a{unseen}1"}))
    assert "name must not be empty" in refused(text(GOOD | {"name": unseen}))


def test_letters_are_composed() -> None:
    (brewery,) = checked(csv_rows(text(GOOD | {"name": "Sa\u0303o Joa\u0303o"}), "some.csv"), "some.csv").breweries
    assert brewery.name == "S\u00e3o Jo\u00e3o"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (("32.72", "-117.16"), (32.72, -117.16)),
        (("-117.16", "32.72"), (32.72, -117.16)),  # swapped
        (("32.72", "117.16"), (32.72, -117.16)),  # lost its sign
        (("48.85", "2.35"), (None, None)),  # in Paris
        (("", ""), (None, None)),
        (("32.72", ""), (None, None)),
        (("1e9", "0"), (None, None)),
    ],
)
def test_coordinates_outside_the_country_are_repaired_or_dropped(
    given: tuple[str, str], kept: tuple[float | None, float | None]
) -> None:
    rows = checked(csv_rows(text(GOOD | {"latitude": given[0], "longitude": given[1]}), "some.csv"), "some.csv")
    (brewery,) = rows.breweries
    assert (brewery.latitude, brewery.longitude) == kept
    assert rows.repaired == (kept != tuple(float(x) if x else None for x in given))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"name": "  "}, "name must not be empty"),
        ({"id": ""}, "id must not be empty"),
        ({"country": ""}, "country must not be empty"),
        ({"brewery_type": "pub"}, "brewery_type is 'pub'"),
        ({"latitude": "north"}, "latitude is 'north'"),
        ({"latitude": "nan"}, "latitude is 'nan'"),
        ({"name": "Bad\x00Byte"}, "U+0000"),
        ({"name": "x" * 1001}, "1,001 characters"),
        ({"id": "a1"}, "the id a1 stands in line 2 already"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(wrong: dict[str, str], reason: str) -> None:
    message = refused(text(GOOD, GOOD | {"id": "a2"}, GOOD | {"id": "a3"} | wrong))
    assert message.startswith("some.csv has 1 bad row") and "line 4: " in message and reason in message


def test_only_the_first_of_many_bad_rows_are_named() -> None:
    message = refused(text(*(GOOD | {"id": f"a{n}", "name": ""} for n in range(30))))
    assert "30 bad rows" in message and "line 6" in message and "line 7" not in message and "25 more" in message


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "lacks the columns"),
        (b"<html><body>Not found</body></html>", "lacks the columns"),
        (text(GOOD, columns=tuple(c for c in NEEDED if c != "longitude")), "lacks the column longitude"),
        (text(GOOD).replace(b"San Diego", "Münster".encode("latin-1")), "line 2: byte 0xFC is not UTF-8"),
        (text(GOOD)[:-20], "line 2: 11 values where line 1 has 14 columns"),
        (text(GOOD).replace(b"1 Pier", b'"1 Pier'), "line"),
    ],
)
def test_what_is_no_catalogue_is_refused(data: bytes, says: str) -> None:
    message = refused(data)
    assert message.startswith("some.csv") and says in message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_csv(tmp_path / "nothing.csv")


def test_the_real_file_is_good(real_catalogue: Path) -> None:
    rows = checked(csv_rows(real_catalogue.read_bytes(), "breweries.csv"), "breweries.csv")
    assert len(rows.breweries) == 11_822 and rows.repaired == 9
