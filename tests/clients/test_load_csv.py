"""Operators' files: what is good arrives whole, what is bad is named by line, column and reason."""

import unicodedata
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.index import Catalogue
from beerforyou.clients import csv_file
from beerforyou.clients import load as loading
from beerforyou.clients.load import analyze, resolve_breweries
from beerforyou.errors import BadInput
from tests.clients.operator_files import CLIENTS, HARBOR, PURCHASES, TODAY, Files, keep

NOTHING = {"clients": 0, "beers": 0, "purchases": 0}
LINE = "P-4,C-1,2026-10-30,Grey Gull,IPA,Harbor Fog Brewing Company,San Diego,California,1,30\n"


async def test_good_files_arrive_whole(files: Files) -> None:
    report = await files.load()
    assert (report.clients, report.purchases, report.bad) == (2, 3, ())
    assert [tuple(row) for row in await files.purchased()] == [
        ("C-1", "P-1", date(2026, 10, 30), "Grey Gull", "IPA", "Harbor Fog Brewing Company", "b-harbor", "micro", 12, Decimal("31.50")),
        ("C-1", "P-2", date(2026, 10, 20), "Hammer", "Stout", "Anvil & Oak Brewpub", "b-anvil", "brewpub", 3, Decimal(44)),
        ("C-2", "P-3", date(2026, 3, 1), "Nobody's Ale", "", "Backyard Garage", None, "", 1, Decimal(0)),
    ]  # fmt: skip
    clients = await files.connection.fetch("SELECT client_id, name, language FROM clients ORDER BY 1")
    assert [tuple(row) for row in clients] == [("C-1", "Bar do Farol", "pt"), ("C-2", "Salt, Pine & Co", "en")]


async def test_again_changes_nothing(files: Files) -> None:
    await files.load()
    rows = "SELECT 'c' || client_id, xmin::text FROM clients UNION ALL SELECT purchase_id, xmin::text FROM purchases UNION ALL SELECT name, xmin::text FROM beers ORDER BY 1"
    before = await files.connection.fetch(rows)
    report = await files.load()
    assert (report.clients, report.purchases) == (2, 3)
    assert await files.connection.fetch(rows) == before, "rows were written again"


async def test_a_corrected_file_corrects(files: Files) -> None:
    await files.load()
    files.purchases.write_text(PURCHASES.replace(",12,31.50", ",7,30.00"), "utf-8")
    files.clients.write_text(CLIENTS.replace("Bar do Farol", "Bar do Cais"), "utf-8")
    await files.load()
    first = (await files.purchased())[0]
    assert (first["quantity"], first["unit_price"]) == (7, Decimal(30))
    assert await files.connection.fetchval("SELECT name FROM clients WHERE client_id = 'C-1'") == "Bar do Cais"
    assert await files.known() == {"clients": 2, "beers": 3, "purchases": 3}


@pytest.mark.parametrize(
    ("line", "column", "says"),
    [
        (LINE.replace(",1,30", ",0,30"), "quantity", "between 1 and"),
        (LINE.replace(",1,30", ",-4,30"), "quantity", "-4"),
        (LINE.replace(",1,30", ",2.5,30"), "quantity", "whole number"),
        (LINE.replace(",1,30", ",dozen,30"), "quantity", "'dozen'"),
        (LINE.replace(",1,30", ",99999999999,30"), "quantity", "between 1 and"),
        (LINE.replace(",1,30", ",٣,30"), "quantity", "whole number"),
        (LINE.replace(",1,30", ",1,-30"), "unit_price", "not negative"),
        (LINE.replace(",1,30", ",1,thirty"), "unit_price", "'thirty'"),
        (LINE.replace(",1,30", ",1,NaN"), "unit_price", "'NaN'"),
        (LINE.replace(",1,30", ",1,30.125"), "unit_price", "two decimals"),
        (LINE.replace(",1,30", ",1,99999999999"), "unit_price", "below 10 billion"),
        (LINE.replace("2026-10-30", str(TODAY + timedelta(days=2))), "purchased_on", "in the future"),
        (LINE.replace("2026-10-30", "30/10/2026"), "purchased_on", "YYYY-MM-DD"),
        (LINE.replace("2026-10-30", "2026-02-30"), "purchased_on", "'2026-02-30'"),
        (LINE.replace("2026-10-30", ""), "purchased_on", "is empty"),
        (LINE.replace("Grey Gull", "  "), "beer", "is empty"),
        (LINE.replace("Grey Gull", "G" * 201), "beer", "201 characters"),
        (LINE.replace("Grey Gull", "Grey\x00Gull"), "beer", "U+0000"),
        (LINE.replace("Grey Gull", "Grey\x1bGull"), "beer", "U+001B"),
        (LINE.replace("C-1", "C-9"), "client_id", "C-9 is nobody"),
        (LINE.replace("P-4", "P-1"), "purchase_id", "P-1 of client C-1 is on line 2 already"),
        (LINE.replace("Grey Gull", '"Grey Gull'), "", "quotes do not match"),
        (LINE.replace(",30\n", "\n"), "", "9 values where the header has 10"),
        (LINE.replace("Gull", "G" * 70_000), "", "longer than 65,536 bytes"),
    ],
)  # fmt: skip
async def test_a_bad_purchase_is_named_and_nothing_is_written(files: Files, line: str, column: str, says: str) -> None:
    with files.purchases.open("a", encoding="utf-8", newline="") as file:
        file.write(line + LINE.replace("P-4", "P-5"))
    report = await files.load()
    assert [(row.file, row.line, row.column) for row in report.bad] == [("purchases.csv", 5, column)]
    assert says in report.bad[0].reason
    assert (report.clients, report.purchases, report.bad_count) == (0, 0, 1)
    assert await files.known() == NOTHING

    report = await files.load(skip_bad=True)
    assert (report.clients, report.purchases, report.bad_count) == (2, 4, 1), "skip_bad leaves out the bad row alone"
    assert [row["purchase_id"] for row in await files.purchased()] == ["P-1", "P-2", "P-5", "P-3"]


@pytest.mark.parametrize(
    ("line", "column", "says"),
    [
        ("C-3,,Boise,Idaho,United States,83702,en", "name", "is empty"),
        ("C-3,Bar,Boise,Idaho,United States,83702,fr", "language", "known are en, es, pt"),
        ("C-3,Bar,Boise,Idaho,United States,836461234567890123456,en", "postal_code", "20 fit"),
        ("C-1,Bar,Boise,Idaho,United States,83702,en", "client_id", "C-1 is on line 2 already"),
    ],
)
async def test_a_bad_client_is_named_and_nothing_is_written(files: Files, line: str, column: str, says: str) -> None:
    files.clients.write_text(CLIENTS + line + "\n", "utf-8")
    report = await files.load()
    assert [(row.file, row.line, row.column) for row in report.bad] == [("clients.csv", 4, column)]
    assert says in report.bad[0].reason
    assert await files.known() == NOTHING
    assert (await files.load(skip_bad=True)).clients == 2


UNSEEN = [
    *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u061c", "\u115f", "\u17b5", "\u180e", "\u200e", "\u200f"),
    *("\u202a", "\u202e", "\u2066", "\u2069", "\u206f", "\u2800", "\u3164", "\ufe0f", "\uffa0", "\ufff9", "\U000e0041", "\U000e01ef", "\U0001d173"),
]  # fmt: skip


async def test_names_lose_what_nobody_sees_and_ids_are_refused(files: Files) -> None:
    lines = []
    for n, unseen in enumerate(UNSEEN):
        names = LINE.replace("Grey Gull", f"{unseen}Grey{unseen} Gull").replace("IPA", f"I{unseen}PA")
        lines += [
            names.replace("P-4", f"G-{n}").replace("San Diego", f"San Diego{unseen}"),
            LINE.replace("P-4", f"P-{unseen}1"),
            LINE.replace("P-4", f"B-{n}").replace("C-1", f"C-1{unseen}"),
            LINE.replace("P-4", f"E-{n}").replace("Grey Gull", unseen),
            LINE.replace("P-4", f"Q-{n}").replace(",1,30", f",{unseen}1,30"),
        ]
    files.purchases.write_text(PURCHASES + "".join(lines), "utf-8")
    clients = [f"C{unseen}-2,Bar,Boise,Idaho,United States,83702,en\n" for unseen in UNSEEN]
    files.clients.write_text(CLIENTS + "".join(clients), "utf-8")
    report = await files.load(skip_bad=True)
    columns = ("purchase_id", "client_id", "beer", "quantity")
    assert [(row.file, row.line, row.column) for row in report.bad] == [
        *(("clients.csv", 4 + n, "client_id") for n in range(len(UNSEEN))),
        *(("purchases.csv", 6 + 5 * n + at, column) for n in range(len(UNSEEN)) for at, column in enumerate(columns)),
    ]
    assert all(row.reason.isascii() for row in report.bad), "a reason shows what it speaks of"
    assert (report.clients, report.purchases, report.cleaned) == (2, 3 + len(UNSEEN), len(UNSEEN))
    assert (await files.known())["beers"] == 3, "no beer of the same looks twice"
    stored = await files.connection.fetchval("SELECT string_agg(b::text, '') FROM beers b")
    assert "IPA" in stored and not any(unseen in stored for unseen in UNSEEN)


@pytest.mark.parametrize("blank", ["\u00a0", "\u2003", "\u202f", "\u3000", "  ", " \u200b "])
async def test_blanks_of_any_kind_are_one_blank(files: Files, blank: str) -> None:
    files.purchases.write_text(PURCHASES + LINE.replace("Grey Gull", f"{blank}Grey{blank}Gull{blank}"), "utf-8")
    files.clients.write_text(CLIENTS.replace("Bar do Farol", f"Bar{blank}do{blank}Farol"), "utf-8")
    assert (await files.load()).bad == ()
    assert (await files.known())["beers"] == 3
    assert await files.connection.fetchval("SELECT name FROM clients WHERE client_id = 'C-1'") == "Bar do Farol"
    files.clients.write_text(CLIENTS + f"C{blank}9,Bar,Boise,Idaho,United States,83702,en\n", "utf-8")
    assert [row.column for row in (await files.load()).bad] == ["client_id"]


async def test_letters_composed_and_not_are_one_name(files: Files) -> None:
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "Pilsen São João")
        files.purchases.write_text(PURCHASES + LINE.replace("Grey Gull", name), "utf-8")
        assert (await files.load()).bad == ()
    assert (await files.known())["beers"] == 4
    files.clients.write_text(
        CLIENTS + unicodedata.normalize("NFD", "São,Bar,Boise,Idaho,United States,83702,en\n"), "utf-8"
    )
    (bad,) = (await files.load()).bad
    assert bad.column == "client_id" and "normal form C" in bad.reason


async def test_a_header_may_hold_what_nobody_sees(files: Files) -> None:
    files.clients.write_text("\ufeff\u200b" + CLIENTS.replace("name,", "name\u200b,\u00a0"), "utf-8")
    assert (await files.load()).clients == 2


async def test_ids_of_canaries_are_refused(files: Files) -> None:
    ids = ["canary-1", "canary-", "canary-0123456789ab", " canary-1 ", '"canary-1"', "canary-\u200b1"]
    files.clients.write_text(
        CLIENTS + "".join(f"{each},Bar,Boise,Idaho,United States,83702,en\n" for each in ids), "utf-8"
    )
    files.purchases.write_text(PURCHASES + "".join(LINE.replace("C-1", each) for each in ids), "utf-8")
    report = await files.load()
    assert [(row.file, row.line, row.column) for row in report.bad] == [
        (file, first + n, "client_id")
        for file, first in (("clients.csv", 4), ("purchases.csv", 5))
        for n in range(len(ids))
    ]
    assert all("prove-isolation" in row.reason for row in report.bad)
    assert await files.known() == NOTHING


async def test_ids_that_only_resemble_a_canarys_are_anybodys(files: Files) -> None:
    files.clients.write_text(
        CLIENTS + "".join(f"{n},Bar,X,Y,Brasil,1,\n" for n in ("canary", "Canary-1", "my-canary-1"))
    )
    assert (await files.load()).clients == 5


async def test_statistics_are_gathered_at_the_end(files: Files) -> None:
    await files.load()
    await analyze(files.connection)
    rows = await files.connection.fetch(
        "SELECT relname, reltuples FROM pg_class WHERE relname IN ('clients', 'beers', 'purchases') AND relnamespace = 'core'::regnamespace"
    )
    assert dict(rows) == {"clients": 2.0, "beers": 3.0, "purchases": 3.0}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (PURCHASES.replace("quantity", "qty").encode(), "lacks the column quantity; there: purchase_id, client_id"),
        (PURCHASES.replace("beer,style", "style").encode(), "lacks the column beer;"),
        (PURCHASES.replace("style", "beer").encode(), "names a column twice"),
        (PURCHASES.encode("utf-16"), "line 1: byte 1 of the line (0xFF) is not UTF-8"),
        (b"PK\x03\x04\x14\x00\x06\x00", "control characters"),
        (b"", "lacks the columns purchase_id, client_id"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(files: Files, content: bytes, says: str) -> None:
    files.purchases.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        await files.load(skip_bad=True)
    assert says in refused.value.message and "purchases.csv" in refused.value.message
    assert refused.value.hint
    assert await files.known() == NOTHING


async def test_a_file_that_is_not_there(files: Files, tmp_path: Path) -> None:
    files.purchases = tmp_path / "nowhere.csv"
    with pytest.raises(BadInput, match=r"nowhere\.csv: No such file"):
        await files.load()


async def test_wrong_encoding_names_line_and_byte(files: Files) -> None:
    files.clients.write_bytes(CLIENTS.replace("Bar do Farol", "Empório").encode("windows-1252"))
    report = await files.load()
    assert (report.bad[0].line, report.bad[0].reason) == (2, "byte 8 of the line (0xF3) is not UTF-8")
    assert await files.known() == NOTHING


async def test_utf8_with_a_byte_order_mark_and_windows_line_ends(files: Files) -> None:
    files.clients.write_bytes(b"\xef\xbb\xbf" + CLIENTS.replace("\n", "\r\n").encode())
    assert (await files.load()).clients == 2


async def test_a_brazilian_excel_file(files: Files) -> None:
    """Semicolons, days first, decimal commas; a header in capitals, empty rows at the end, quotes inside a name."""
    files.purchases.write_text(
        "PURCHASE_ID;Client_ID;purchased_on;beer;brewery;quantity;unit_price\n"
        'P-1;C-1;30/10/2026;Cerveja "Gaivota", a boa;Harbor Fog Brewing;12;31,50\n'
        "P-2;C-1;2026-10-29;Gaivota;Harbor Fog Brewing;1;30\n"
        ";;;;;;\n"
        "\n",
        "utf-8",
    )
    assert (await files.load()).purchases == 2
    bought = (await files.purchased())[0]
    assert (bought["purchased_on"], bought["unit_price"]) == (date(2026, 10, 30), Decimal("31.50"))
    assert bought["beer"] == 'Cerveja "Gaivota", a boa'


async def test_columns_nobody_asked_for_are_left_out_and_named(files: Files) -> None:
    files.clients.write_text(
        "client_id,name,city,state,postal_code,salesman\nC-1,Bar,Boise,Idaho,,Ana\nC-2,Bar,Boise,Idaho,,Rui\n", "utf-8"
    )
    assert (await files.load()).ignored == ("clients.csv: salesman",)


@pytest.mark.parametrize(("country", "language"), [("Brasil", "pt"), ("Portugal", "pt"), ("Ireland", "en"), ("", "en")])
async def test_a_client_without_a_language_is_answered_in_the_countrys(
    files: Files, country: str, language: str
) -> None:
    header = "client_id,name,city,state,country,postal_code\n"
    files.clients.write_text(f"{header}C-1,Bar,X,Y,{country},\nC-2,Bar,X,Y,{country},\n", "utf-8")
    await files.load()
    assert await files.connection.fetchval("SELECT language FROM clients WHERE client_id = 'C-1'") == language


async def test_bad_rows_beyond_the_cap_are_counted(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "LISTED", 2)
    files.purchases.write_text(PURCHASES + LINE.replace("C-1", "C-9") * 3 + LINE.replace(",1,30", ",0,30") * 4, "utf-8")
    report = await files.load()
    assert len(report.bad) == 2
    assert report.bad_count == 4 + 2 + 1, "four quantities, two repeated ids, one stranger"


async def test_purchases_of_clients_loaded_before(files: Files) -> None:
    await files.load()
    files.clients.write_text(CLIENTS.splitlines()[0] + "\n", "utf-8")
    files.purchases.write_text(PURCHASES.splitlines()[0] + "\n" + LINE, "utf-8")
    report = await files.load()
    assert (report.clients, report.purchases, report.bad) == (0, 1, ())


async def test_progress_ends_at_the_size_of_both_files(files: Files) -> None:
    heard: list[tuple[int, int]] = []
    await files.load(on_progress=lambda read, total: heard.append((read, total)))
    size = files.clients.stat().st_size + files.purchases.stat().st_size
    assert heard[-1] == (size, size)


async def test_a_new_catalogue_links_what_was_only_a_name(files: Files) -> None:
    await files.load()
    garage = Brewery(id="b-garage", name="Backyard Garage Brewing", brewery_type="nano", city="Boise", state="Idaho")
    await keep(files.connection, garage)
    await resolve_breweries(files.connection, Catalogue([garage, HARBOR]))
    linked = {row["beer"]: (row["brewery_id"], row["brewery_type"]) for row in await files.purchased()}
    assert linked == {"Grey Gull": ("b-harbor", "micro"), "Hammer": (None, ""), "Nobody's Ale": ("b-garage", "nano")}


async def test_a_long_file_is_merged_in_slices(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MERGED_AT_ONCE", 2)
    files.purchases.write_text(PURCHASES + "".join(LINE.replace("P-4", f"P-{n}") for n in range(4, 9)), "utf-8")
    assert (await files.load()).purchases == 8
    assert len(await files.purchased()) == 8


async def test_a_failure_midway_leaves_nothing(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: str) -> str:
        raise OSError("the catalogue is gone")

    with monkeypatch.context() as broken:
        broken.setattr(files.catalogue, "known_as", failing)
        with pytest.raises(OSError, match="the catalogue is gone"):
            await files.load()
    assert await files.known() == NOTHING
    assert (await files.load()).purchases == 3, "the same connection goes on"
