"""What the tool tells of all clients: no rank that the noise made, no figure beyond those who are there, no table of something else."""

import pytest
from msgspec.structs import replace

from beerforyou.blocks import Notice, Table
from beerforyou.tools import TOOLS
from beerforyou.tools.statistics import NO_RANKS, Statistic, published
from tests.published.conftest import Asker
from tests.published.market import MARCH, Market

SECRETS = ["one", "another", "a third"]


async def told(asker: Asker, **asked: object) -> dict[str, object]:
    return dict((await published(*asker, Statistic(**asked))).content)  # type: ignore[arg-type]


@pytest.mark.parametrize("secret", SECRETS)
async def test_styles_that_as_many_buy_are_ties(market: Market, asker: Asker, secret: str) -> None:
    await market.admin.execute("UPDATE stats.secret SET secret = sha256($1)", secret.encode())
    await market.settle("A", "Ohio", "Akron", 300)
    for style in ("IPA", "Stout", "Lager", "Porter"):
        await market.buy("A", await market.brew(style, style, brewery=style), 250)
    await market.publish(MARCH)
    for asked in ({"by": "style"}, {"by": "style", "limit": 1}, {"by": "style", "state": "Ohio", "measure": "clients"}):
        content = await told(asker, **asked)
        assert {name for name, *_ in content["rows"]} == {"IPA", "Stout", "Lager", "Porter"} == {*content["first"]}  # type: ignore[attr-defined]
        assert "place" not in content["columns"] and content["about"] == NO_RANKS  # type: ignore[operator]
        assert all(row[-1].startswith(("between", "at least")) for row in content["rows"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("secret", SECRETS)
async def test_what_most_buy_by_far_is_first(market: Market, asker: Asker, secret: str) -> None:
    await market.admin.execute("UPDATE stats.secret SET secret = sha256($1)", secret.encode())
    await market.settle("A", "Ohio", "Akron", 2_000)
    for style, buyers in (("IPA", 2_000), ("Stout", 1_000), ("Lager", 950), ("Porter", 300)):
        await market.buy("A", await market.brew(style, style, brewery=style), buyers)
    await market.publish(MARCH)
    content = await told(asker, by="style", measure="clients")
    assert content["first"] == ("IPA",)
    assert [(name, place) for name, place, _ in content["rows"]] == [
        ("IPA", "1"),
        ("Lager", "2-3"),
        ("Stout", "2-3"),
        ("Porter", "4"),
    ]  # type: ignore[attr-defined]
    assert (await told(asker, by="style", measure="clients", limit=1))["first"] == ("IPA",)
    least = await told(asker, by="style", measure="clients", direction="least", limit=1)
    assert least["first"] == ("Porter",) and least["direction"] == "least"


async def test_no_more_clients_than_there_are_in_a_state(market: Market, asker: Asker) -> None:
    """Of forty states with 23 clients each the noise publishes some as 60, 70 or 80."""
    for n in range(40):
        await market.settle(f"S{n}-", f"State {n}", "Town", 23)
        await market.buy(f"S{n}-", await market.brew("Same") if n == 0 else 1, 23)
    beer = await market.admin.fetchval("SELECT min(beer_id) FROM core.beers")
    await market.admin.execute("UPDATE core.purchases SET beer_id = $1", beer)
    await market.publish(MARCH)
    shown = await market.admin.fetch(
        "SELECT state FROM stats.published WHERE dimension = 'total' AND state <> '' AND city = '' AND month = ''"
    )
    assert shown
    for row in shown:
        assert (await told(asker, state=row["state"], measure="clients"))["rows"] == (
            ("any beer", "at least 10 clients"),
        )
    content = await told(asker, by="state", measure="clients")
    assert {figure for *_, figure in content["rows"]} == {"at least 10 clients"} and "place" not in content["columns"]  # type: ignore[attr-defined,operator]


async def test_units_that_are_not_known_leave_no_row_without_a_figure(market: Market, asker: Asker) -> None:
    """One buyer takes so much of one style that its units can't be told: clients are told instead, and it is said."""
    await market.settle("A", "Ohio", "Akron", 800)
    even, uneven = await market.brew("Even", "IPA"), await market.brew("Uneven", "Witbier")
    await market.buy("A", even, 800)
    await market.buy("A", uneven, 790)
    await market.buy("A", uneven, 8, quantity=2_000, tag="x")
    await market.publish(MARCH)
    units = await market.cells("style", state="")
    assert [(cell["name"], cell["quantity"] is None) for cell in units] == [("IPA", False), ("Witbier", True)]
    content = await told(asker, by="style")
    assert content["measure"] == "clients" and content["instead_of"] == "quantity"
    assert [name for name, *_ in content["rows"]] == ["IPA", "Witbier"]  # type: ignore[attr-defined]
    alone = await told(asker, style="IPA")
    ((name, figure),) = alone["rows"]  # type: ignore[misc]
    assert (alone["measure"], name) == ("quantity", "IPA") and figure.startswith(("about 3,", "about 4,", "between 3,"))


@pytest.mark.parametrize(
    "asked", [{"by": "brewery"}, {"brewery": "Tiny"}, {"by": "style", "city": "Dayton"}, {"by": "beer", "state": "Texas"}, {"style": "Gose"}]
)  # fmt: skip
async def test_what_is_not_published_is_no_table_of_something_else(
    market: Market, asker: Asker, asked: dict[str, str]
) -> None:
    await market.settle("A", "Ohio", "Akron", 300)
    await market.settle("B", "Ohio", "Dayton", 5)
    for n in range(100):
        await market.brew(f"Beer {n}", brewery=f"Brewery {n}")
    await market.admin.execute(
        """INSERT INTO core.purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price)
           SELECT client_id, 'p', date '2026-03-03', (SELECT min(beer_id) FROM core.beers) + row_number() OVER () % 100, 5, 1 FROM core.clients"""
    )
    await market.publish(MARCH)
    result = await published(*asker, Statistic(**asked))  # type: ignore[arg-type]
    assert "rows" not in result.content and "too few clients" in result.content["not_published"]
    (notice,) = result.blocks
    assert isinstance(notice, Notice) and notice.key == "nearest" and "What I can tell is" in notice.text
    again = await TOOLS["run_analytical_query"](*asker, result.content["published"])
    assert again.content["rows"]


async def test_a_table_has_a_heading_in_each_language(market: Market, asker: Asker) -> None:
    await market.settle("A", "Ohio", "Akron", 2_000)
    for style, buyers in (("IPA", 2_000), ("Stout", 900)):
        await market.buy("A", await market.brew(style, style, brewery=style), buyers)
    await market.publish(MARCH)
    result = await published(
        replace(asker.caller, language="pt"), asker.hands, Statistic(by="style", measure="clients")
    )
    (table,) = result.blocks
    assert isinstance(table, Table) and table.columns == ("style", "place", "clients")
    assert [str(row[-1]).split()[0] for row in table.rows] == ["cerca", "entre"]
