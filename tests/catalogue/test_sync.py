"""Open Brewery DB into a real database: whole versions, only what differs, nothing from a damaged source."""

from __future__ import annotations

import asyncio
import csv
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from msgspec.structs import replace

from beerforyou.catalogue import demo, refresh
from beerforyou.catalogue.api import Pace
from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.names import brewery_key
from beerforyou.catalogue.refresh import Current
from beerforyou.catalogue.sync import Diff, store, sync
from beerforyou.db.connections import operator
from beerforyou.db.database import Database, Reads
from beerforyou.errors import BadInput, Unavailable
from beerforyou.settings import Settings
from tests.catalogue.brewery_api import BreweryApi, serving
from tests.catalogue.conftest import Make

FAST = Pace(between=0, backoff=0.001, tries=3, timeout=5)


def row(number: int, **values: Any) -> dict[str, Any]:
    """As the API sends it: coordinates now as numbers, now as text, nothing as null."""
    return {
        "id": f"id-{number:05}", "name": f"Brewery Number {number}", "brewery_type": "micro", "address_1": None,
        "address_2": None, "address_3": None, "city": "Austin", "state_province": "Texas", "postal_code": "78701",
        "country": "United States", "phone": None, "website_url": None, "state": "Texas", "street": None,
        "latitude": 30.27 if number % 2 else "30.27", "longitude": -97.74 if number % 2 else "-97.74",
    } | values  # fmt: skip


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    async with operator(settings) as connection:
        yield connection


@pytest.fixture
async def api() -> AsyncIterator[BreweryApi]:
    async with serving([row(n) for n in range(450)]) as api:
        yield api


async def names(connection: asyncpg.Connection) -> dict[str, str]:
    return {b.id: b.name for b in (await refresh.load(Reads(connection))).breweries if b.is_open}  # type: ignore[arg-type]


def counts(diff: Diff) -> tuple[int, int, int, int]:
    return diff.added, diff.changed, diff.closed, diff.unchanged


async def test_a_sync_says_what_was_added_changed_and_closed(connection: asyncpg.Connection, make: Make) -> None:
    stay, rename, close, leave = (make(name) for name in ("Stay", "Harbor Light", "Close", "Leave"))
    first = await store(connection, [stay, rename, close, leave], "first")
    assert counts(first) == (4, 0, 0, 0) and first.examples["added"] == ("Close", "Harbor Light", "Leave", "Stay")

    come = make("Come")
    now = [stay, replace(rename, name="Harbor Lamp"), replace(close, brewery_type="closed"), come]
    second = await store(connection, now, "second")
    assert counts(second) == (1, 1, 2, 1) and second.version > first.version
    assert second.examples == {"added": ("Come",), "changed": ("Harbor Lamp",), "closed": ("Close", "Leave")}
    assert await names(connection) == {stay.id: "Stay", rename.id: "Harbor Lamp", come.id: "Come"}

    catalogue = await refresh.load(Reads(connection))  # type: ignore[arg-type]
    assert catalogue.version == str(second.version)
    gone = catalogue.brewery(leave.id)
    assert gone and not gone.is_open, "purchases may point at it"
    assert [m.brewery.id for m in catalogue.find("Harbor Light")] == [rename.id], "its old name is an alias"

    back = await store(connection, [stay, rename, close, leave, come], "third")
    assert counts(back) == (0, 3, 0, 2), "renamed back, open again, back"
    assert leave.id in await names(connection)


async def test_the_same_content_makes_no_new_version(connection: asyncpg.Connection, make: Make) -> None:
    rows = [make(f"Brewery {n}") for n in range(5)]
    first = await store(connection, rows, "first")
    again = await store(connection, list(reversed(rows)), "another file")
    assert again == Diff(version=first.version, unchanged=5)
    assert await connection.fetchval("SELECT count(*) FROM catalogue_versions") == 1


async def test_two_syncs_at_once_make_one_version(settings: Settings, make: Make) -> None:
    rows = [make(f"Brewery {n}") for n in range(500)]
    async with operator(settings) as one, operator(settings) as other:
        diffs = await asyncio.gather(store(one, rows, "a"), store(other, rows, "b"))
        assert len({diff.version for diff in diffs}) == 1 and sorted(diff.added for diff in diffs) == [0, 500]
        assert await one.fetchval("SELECT count(*) FROM catalogue_versions") == 1


async def test_what_did_not_change_keeps_its_version(connection: asyncpg.Connection, make: Make) -> None:
    a, b = make("A"), make("B")
    first = await store(connection, [a, b], "first")
    second = await store(connection, [a, replace(b, phone="1")], "second")
    kept = await connection.fetch("SELECT brewery_id, since, changed FROM breweries ORDER BY brewery_id")
    assert [tuple(r) for r in kept] == [
        (a.id, first.version, first.version), (b.id, first.version, second.version),
    ]  # fmt: skip


@pytest.mark.parametrize("left", [0, 1, 4])
async def test_a_source_with_less_than_half_is_refused(connection: asyncpg.Connection, make: Make, left: int) -> None:
    rows = [make(f"Brewery {n}") for n in range(9)]
    await store(connection, rows, "whole")
    with pytest.raises(BadInput, match=f"cut has {left} breweries; the catalogue has 9"):
        await store(connection, rows[:left], "cut")
    assert len(await names(connection)) == 9


async def test_the_real_file(connection: asyncpg.Connection, real_catalogue: Path, database: Database) -> None:
    current = await Current.load(database.read)
    assert current.now.version == "0" and not await current.refresh()
    diff = await sync(connection, str(real_catalogue))
    assert counts(diff) == (11_822, 0, 0, 0) and diff.repaired == 9
    assert await current.refresh() and len(current.now) == 11_822, "seen by whoever asks for news"
    assert not await current.refresh()
    assert counts(await sync(connection, str(real_catalogue))) == (0, 0, 0, 11_822)


async def test_a_damaged_file_changes_nothing(
    connection: asyncpg.Connection, real_catalogue: Path, real_data: bytes, tmp_path: Path
) -> None:
    await sync(connection, str(real_catalogue))
    cut = real_data[: len(real_data) // 3]
    for damage in (cut[: cut.rindex(b"\n") + 1], real_data[:-30], real_data.replace("ü".encode(), b"\xfc", 1), b"{}"):
        copy = tmp_path / "damaged.csv"
        copy.write_bytes(damage)
        with pytest.raises(BadInput, match=r"damaged\.csv"):
            await sync(connection, str(copy))
    assert await connection.fetchval("SELECT count(*) FROM catalogue_versions") == 1
    assert await connection.fetchval("SELECT count(*) FROM breweries WHERE gone") == 0


async def test_api_and_csv_of_one_content_are_one_version(
    connection: asyncpg.Connection, api: BreweryApi, tmp_path: Path
) -> None:
    first = await sync(connection, api.url, pace=FAST)
    assert counts(first) == (450, 0, 0, 0) and api.pages == [1, 2, 3]
    assert all("application/json" in accept for accept in api.accepts)
    path = tmp_path / "same.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(api.rows[0]))
        writer.writeheader()
        writer.writerows(api.rows)
    assert await sync(connection, str(path)) == Diff(version=first.version, unchanged=450)


async def test_a_csv_behind_a_url(connection: asyncpg.Connection, api: BreweryApi, real_data: bytes) -> None:
    data = b"".join(real_data.splitlines(keepends=True)[:101])
    api.misbehave = lambda number: web.Response(body=data, content_type="text/csv")
    assert (await sync(connection, f"{api.url}/data/breweries.csv", pace=FAST)).added == 100


async def test_the_api_is_asked_no_faster_than_it_allows(connection: asyncpg.Connection, api: BreweryApi) -> None:
    await sync(connection, api.url, pace=Pace(between=0.1))
    times = [at for _, _, at in api.requests]
    assert all(later - sooner > 0.09 for sooner, later in pairwise(times))
    assert Pace().between >= 60 / 120


async def test_too_many_requests_are_waited_out(connection: asyncpg.Connection, api: BreweryApi) -> None:
    api.misbehave = lambda number: web.Response(status=429, headers={"Retry-After": "1"}) if number == 3 else None
    start = time.monotonic()
    assert (await sync(connection, api.url, pace=FAST)).added == 450
    assert 1 <= time.monotonic() - start < 5
    assert api.pages == [1, 2, 2, 3]


async def test_passing_failures_are_tried_again(connection: asyncpg.Connection, api: BreweryApi) -> None:
    api.misbehave = lambda number: web.Response(status=503) if number % 2 else None
    assert (await sync(connection, api.url, pace=FAST)).added == 450


async def test_a_broken_sync_goes_on_where_it_stopped(
    connection: asyncpg.Connection, api: BreweryApi, tmp_path: Path
) -> None:
    progress = tmp_path / "progress.jsonl"
    api.misbehave = lambda number: web.Response(status=500) if number > 3 else None  # meta, page 1, page 2
    with pytest.raises(Unavailable, match="500"):
        await sync(connection, api.url, progress=progress, pace=FAST)
    assert await connection.fetchval("SELECT count(*) FROM breweries") == 0
    with progress.open("ab") as file:
        file.write(b'[{"id": "cut o')  # killed in the middle of a page
    api.misbehave, before = (lambda number: None), len(api.pages)
    seen: list[tuple[int, int]] = []
    diff = await sync(connection, api.url, progress=progress, pace=FAST, on_page=lambda *read: seen.append(read))
    assert diff.added == 450 and api.pages[before:] == [3] and seen == [(3, 3)]
    assert not progress.exists()


async def test_progress_of_another_state_of_the_source_is_not_used(
    connection: asyncpg.Connection, api: BreweryApi, tmp_path: Path
) -> None:
    progress = tmp_path / "progress.jsonl"
    api.misbehave = lambda number: web.Response(status=500) if number > 3 else None
    with pytest.raises(Unavailable):
        await sync(connection, api.url, progress=progress, pace=FAST)
    api.rows.append(row(9999))
    api.total, api.misbehave, before = 451, (lambda number: None), len(api.pages)
    assert (await sync(connection, api.url, progress=progress, pace=FAST)).added == 451
    assert api.pages[before:] == [1, 2, 3]


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        ({"total": 449}, BadInput, "counts 449 breweries but sent 450"),
        ({"total": 900}, BadInput, "counts 900 breweries but sent 450"),
        ({"rows": "doubled"}, BadInput, "page 3, entry 50: the id id-00000 stands in page 1, entry 1 already"),
        ({"rows": "bad"}, BadInput, "page 3, entry 50: brewery_type is 'pub'"),
        ({"status": 404}, BadInput, "answered 404"),
        ({"status": 500}, Unavailable, "answered 500"),
        ({"text": "<html>"}, BadInput, "does not say how many breweries it has"),
        ({"text": '{"total": 450}'}, BadInput, "page 1: no list of breweries"),
    ],
)
async def test_a_source_that_is_not_itself_changes_nothing(
    connection: asyncpg.Connection,
    api: BreweryApi,
    tmp_path: Path,
    spoil: dict[str, Any],
    error: type[Exception],
    says: str,
) -> None:
    await sync(connection, api.url, pace=FAST)
    api.total = spoil.get("total", 450)
    if "rows" in spoil:
        api.rows[-1] = row(0) if spoil["rows"] == "doubled" else row(449, brewery_type="pub")
    if "status" in spoil or "text" in spoil:
        api.misbehave = lambda number: web.Response(status=spoil.get("status", 200), text=spoil.get("text", ""))
    progress = tmp_path / "progress.jsonl"
    with pytest.raises(error) as raised:
        await sync(connection, api.url, pace=FAST, progress=progress)
    assert says in str(raised.value)
    assert len(await names(connection)) == 450
    assert await connection.fetchval("SELECT count(*) FROM catalogue_versions") == 1


async def test_nobody_answers(connection: asyncpg.Connection) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        await sync(connection, "http://127.0.0.1:9", pace=FAST)


async def test_passwords_of_a_source_are_not_kept(connection: asyncpg.Connection, make: Make) -> None:
    await store(connection, [make("A")], "https://user:secret@example.test/breweries.csv")
    kept = await connection.fetchval("SELECT source FROM catalogue_versions")
    assert kept == "https://example.test/breweries.csv"


async def test_the_demo_catalogue_goes_the_same_way(connection: asyncpg.Connection) -> None:
    invented = demo.breweries()
    assert (await store(connection, invented, "demo")).added == len(invented)


def test_the_demo_catalogue_is_the_same_every_time() -> None:
    invented = demo.breweries()
    assert invented == demo.breweries() and 500 < len(invented) < 800
    assert len({b.id for b in invented}) == len(invented)
    cities = {(b.city, b.state) for b in invented}
    assert {("Portland", "Oregon"), ("Portland", "Maine"), ("San Diego", "California")} <= cities
    assert {"closed", "planning", "micro", "brewpub"} <= {b.brewery_type for b in invented}
    assert 0.7 < sum(b.latitude is not None for b in invented) / len(invented) < 0.9


def test_the_breweries_of_the_demo_catalogue_are_invented(real_rows: list[Brewery]) -> None:
    assert not {brewery_key(b.name) for b in demo.breweries()} & {brewery_key(b.name) for b in real_rows}
