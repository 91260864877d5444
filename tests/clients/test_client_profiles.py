"""Profiles: tastes of the last 90 days, the whole history, and a version that changes with the content alone."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import asyncpg

from beerforyou.clients.profiles import BreweryHistory, Profile, Share, TopBeer, TopBrewery, Totals, compute, decode
from beerforyou.clients.taste import taste
from beerforyou.clock import days
from beerforyou.db.database import Database
from tests.clients.operator_files import DAYS, NOON, PURCHASES, TODAY, Files

HEADER = PURCHASES.splitlines()[0]
HARBOR_IPA = "Grey Gull,IPA,{},San Diego,California"
HAMMER = "Hammer,Stout,Anvil & Oak Brewpub,Boise,Idaho"
SHUT_ALE = "Goodbye,Amber Ale,Last Pint Brewery,Boise,Idaho"
GARAGE = "Nobody's Ale,,Backyard Garage,Boise,Idaho"


async def bought(files: Files, lines: Iterable[tuple[str, int, str, int, str]]) -> None:
    """Loads purchases given as client, days ago, beer and brewery, quantity, price."""
    rows = [
        f"P-{number},{client},{TODAY - timedelta(days=ago)},{beer},{quantity},{price}"
        for number, (client, ago, beer, quantity, price) in enumerate(lines)
    ]
    files.purchases.write_text("\n".join([HEADER, *rows, ""]), "utf-8")
    assert (await files.load()).bad == ()


async def profile(connection: asyncpg.Connection, client_id: str) -> tuple[Profile, str]:
    row = await connection.fetchrow("SELECT data, version FROM profiles WHERE client_id = $1", client_id)
    return decode(row["data"]), row["version"]


async def test_a_profile_holds_the_window_and_the_whole_history(files: Files) -> None:
    await bought(
        files,
        [
            ("C-1", 3, HARBOR_IPA.format("Harbor Fog Brewing Company"), 6, "30.00"),
            ("C-1", 89, HARBOR_IPA.format("HARBOR FOG BREWING"), 3, "31.00"),
            ("C-1", 10, HAMMER, 1, "44.00"),
            ("C-1", 90, HAMMER, 50, "40.00"),
            ("C-1", 10, SHUT_ALE, 2, "10.00"),
            ("C-1", 400, GARAGE, 7, "5.00"),
        ],
    )
    assert await compute(files.connection, DAYS) == 2
    got, _ = await profile(files.connection, "C-1")
    assert (got.name, got.city, got.state, got.language, got.window) == (
        "Bar do Farol",
        "San Diego",
        "California",
        "pt",
        "90d",
    )
    assert got.types == (Share("micro", 9, 0.9), Share("brewpub", 1, 0.1)), "closed is no type to have a taste for"
    assert got.styles == (Share("IPA", 9, 0.75), Share("Amber Ale", 2, 0.1667), Share("Stout", 1, 0.0833))
    assert got.beers[0] == TopBeer("Grey Gull", "Harbor Fog Brewing Co", 9, "IPA", "b-harbor"), (
        "two spellings, one beer"
    )
    assert got.breweries == (
        TopBrewery("Harbor Fog Brewing Co", 9, 0.75, "b-harbor"),
        TopBrewery("Last Pint Brewery", 2, 0.1667, "b-shut"),
        TopBrewery("Anvil & Oak Brewpub", 1, 0.0833, "b-anvil"),
    )
    assert [(b.name, b.quantity, b.orders) for b in got.history] == [
        ("Anvil & Oak Brewpub", 51, 2), ("Harbor Fog Brewing Co", 9, 2), ("Backyard Garage", 7, 1), ("Last Pint Brewery", 2, 1),
    ]  # fmt: skip
    assert got.history[2] == BreweryHistory(
        "Backyard Garage", "Boise", "Idaho", TODAY - timedelta(days=400), TODAY - timedelta(days=400), 7, 1
    )
    assert got.totals == Totals(
        69, 6, Decimal("2372.00"), 4, 4, TODAY - timedelta(days=400), TODAY - timedelta(days=3)
    )  # fmt: skip
    assert got.brewery_ids == {"b-harbor", "b-anvil", "b-shut"}


async def test_a_client_who_bought_nothing_lately_is_known_by_everything(files: Files) -> None:
    await bought(files, [("C-1", 91, HAMMER, 4, "44"), ("C-2", 3, HAMMER, 1, "44")])
    await compute(files.connection, DAYS)
    lapsed, _ = await profile(files.connection, "C-1")
    assert (lapsed.window, lapsed.types) == ("all", (Share("brewpub", 4, 1),))
    recent, _ = await profile(files.connection, "C-2")
    assert recent.window == "90d"


async def test_a_client_without_purchases_has_an_empty_profile(files: Files) -> None:
    await bought(files, [("C-1", 1, HAMMER, 4, "44")])
    await compute(files.connection, DAYS)
    empty, _ = await profile(files.connection, "C-2")
    assert (empty.name, empty.window, empty.history, empty.totals) == ("Salt, Pine & Co", "all", (), Totals())
    assert taste(empty) == taste(None)


async def test_the_version_changes_with_the_content_alone(files: Files) -> None:
    lines = [("C-1", 5, HAMMER, 4, "44"), ("C-2", 5, HAMMER, 4, "44")]
    await bought(files, lines)
    await compute(files.connection, DAYS)
    first = [(await profile(files.connection, client))[1] for client in ("C-1", "C-2")]
    await compute(files.connection, DAYS)
    assert [(await profile(files.connection, client))[1] for client in ("C-1", "C-2")] == first
    await bought(files, [("C-1", 5, HAMMER, 5, "44"), *lines[1:]])
    await compute(files.connection, DAYS)
    second = [(await profile(files.connection, client))[1] for client in ("C-1", "C-2")]
    assert second[0] != first[0] and second[1] == first[1]


async def test_only_the_named_clients_are_computed(files: Files) -> None:
    await bought(files, [("C-1", 5, HAMMER, 4, "44")])
    assert await compute(files.connection, DAYS, ["C-2", "nobody"]) == 1
    assert await files.connection.fetch("SELECT client_id FROM profiles") == [("C-2",)]


async def test_the_future_does_not_count(files: Files) -> None:
    """A profile of an earlier day is that day's."""
    await bought(files, [("C-1", 0, HAMMER, 4, "44"), ("C-1", 30, HARBOR_IPA.format("Harbor Fog"), 2, "30")])
    await compute(files.connection, days("UTC", NOON - timedelta(days=10)))
    got, _ = await profile(files.connection, "C-1")
    assert [b.name for b in got.history] == ["Harbor Fog Brewing Co"]


async def test_taste_is_types_and_everything_ever_bought(files: Files) -> None:
    await bought(
        files,
        [
            ("C-1", 5, HAMMER, 4, "44"),
            ("C-1", 300, HARBOR_IPA.format("Harbor Fog"), 2, "30"),
            ("C-1", 5, GARAGE, 4, "1"),
        ],
    )
    await compute(files.connection, DAYS)
    got = taste((await profile(files.connection, "C-1"))[0])
    assert got.types == {"brewpub": 1.0}
    assert got.bought == {"b-anvil", "b-harbor"}
    assert got.other_cities == {"Boise"}


async def test_a_client_reads_its_own_profile_alone(files: Files, database: Database) -> None:
    await bought(files, [("C-1", 5, HAMMER, 4, "44"), ("C-2", 5, HAMMER, 9, "44")])
    await compute(files.connection, DAYS)
    row = await database.as_client("C-2").fetchrow("clients.profile")
    assert row and decode(row["data"]).totals.quantity == 9
    assert await database.as_client("C-3").fetchrow("clients.profile") is None
