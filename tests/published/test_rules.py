"""What is published of all clients, and what is not. Each rule is shown by a cell that keeps it beside one that breaks it."""

import pytest

from beerforyou.clients.statistics import FEWEST
from beerforyou.db.database import Database
from beerforyou.tools.statistics import Statistic, published
from tests.published.conftest import Asker
from tests.published.market import APRIL, MARCH, MAY, Market


async def test_many_clients_are_published_and_few_are_not(market: Market) -> None:
    await market.settle("A", "Ohio", "Akron", 400)
    await market.buy("A", await market.brew("Many"), 300)
    for name in ("Few", "Few as well"):
        await market.buy("A", await market.brew(name), FEWEST - 1)
    await market.publish(MARCH)
    assert {cell["name"] for cell in await market.cells()} == {"Many"}


async def test_counts_are_about_right_and_in_tens(market: Market) -> None:
    await market.settle("A", "Ohio", "Akron", 400)
    await market.buy("A", await market.brew("Many"), 300)
    await market.publish(MARCH)
    for cell in await market.cells():
        assert cell["clients"] % 10 == 0 and abs(cell["clients"] - 300) < 200  # ten scales of the noise
        assert abs(cell["quantity"] - 1500) < 1000


async def test_a_cell_that_one_client_dominates_is_not_published(market: Market) -> None:
    await market.settle("A", "Ohio", "Akron", 200)
    even, uneven, few = [await market.brew(name) for name in ("Even", "Uneven", "Few")]
    for beer, buyers in ((even, 200), (uneven, 200), (few, 3)):
        await market.buy("A", beer, buyers)
    await market.buy("A", uneven, 1, quantity=1001, tag="x")
    await market.publish(MARCH)
    assert {cell["name"] for cell in await market.cells()} == {"Even"}


async def test_numbers_stay_within_a_period_whatever_happens(market: Market) -> None:
    await market.settle("A", "Ohio", "Akron", 400)
    beer = await market.brew("Many")
    await market.buy("A", beer, 200)
    await market.publish(MARCH)
    before = [tuple(cell) for cell in await market.cells()]
    await market.buy("A", beer, 400, tag="x")
    await market.publish(MARCH)
    assert [tuple(cell) for cell in await market.cells()] == before


@pytest.mark.parametrize(("changed", "anew"), [(0, False), (4, False), (10, True)])
async def test_a_cell_is_published_anew_when_several_clients_changed(market: Market, changed: int, anew: bool) -> None:
    await market.settle("A", "Ohio", "Akron", 400)
    beer = await market.brew("Many")
    await market.buy("A", beer, 200)
    await market.publish(MARCH)
    before = await market.cells(state="Ohio")
    await market.buy("A", beer, changed, tag="x")
    await market.publish(APRIL)
    after = await market.cells(state="Ohio")
    assert [cell["period"] for cell in before + after] == ["2026-03"] * 2 + (
        ["2026-04"] * 2 if anew else ["2026-03"] * 2
    )


async def test_asking_again_draws_no_new_noise(market: Market) -> None:
    """Else the mean of many publications would be the truth."""
    await market.settle("A", "Ohio", "Akron", 400)
    await market.buy("A", await market.brew("Many"), 200)
    await market.publish(MARCH)
    first = [(cell["clients"], cell["quantity"]) for cell in await market.cells()]
    await market.admin.execute("DELETE FROM stats.published")
    await market.publish(MARCH)
    assert [(cell["clients"], cell["quantity"]) for cell in await market.cells()] == first


async def test_one_missing_part_takes_the_smallest_of_the_others_with_it(market: Market) -> None:
    await market.settle("A", "Ohio", "Akron", 400)
    for name, type, buyers in (("a", "micro", 400), ("b", "brewpub", 250), ("c", "nano", 9), ("d", "regional", 150)):
        await market.buy("A", await market.brew(name, type=type), buyers)
    await market.publish(MARCH)
    assert {cell["name"] for cell in await market.cells("type", state="Ohio", city="")} == {"micro", "brewpub"}


async def test_a_cell_that_falls_below_the_rules_is_withdrawn(market: Market) -> None:
    await market.settle("A", "Ohio", "Akron", 400)
    beer = await market.brew("Many")
    await market.buy("A", beer, 200)
    await market.publish(MARCH)
    assert await market.cells(state="Ohio")
    await market.buy("A", beer, 20, quantity=1, tag="x")
    await market.buy("A", beer, 1, quantity=100_000, tag="y")
    await market.publish(MAY)
    assert not await market.cells(state="Ohio")


async def test_whoever_asks_from_wherever_gets_the_same(market: Market, asker: Asker) -> None:
    await market.settle("A", "Ohio", "Akron", 400)
    await market.buy("A", await market.brew("Many"), 300)
    await market.publish(MARCH)
    assert asker.caller.home.country == "Brazil"
    outcome = await published(*asker, Statistic(by="beer", state="Ohio"))
    assert [name for name, *_ in outcome.content["rows"]] == ["Many (Brewery)"]
    assert outcome.label.audience == {"aggregate"}


async def test_those_who_read_for_clients_see_cells_and_neither_secret_nor_rows(
    market: Market, database: Database
) -> None:
    await market.settle("A", "Ohio", "Akron", 400)
    await market.buy("A", await market.brew("Many"), 300)
    await market.publish(MARCH)
    (row,) = await database.statistics.fetch("statistics.summary")
    assert row["cells"] > 0
    rights = "SELECT has_table_privilege($1, 'stats.secret', 'SELECT') OR has_function_privilege($1, 'stats.uniform(text)', 'EXECUTE')"
    for login in ("bfy_client", "bfy_reader", "bfy_service", "bfy_operator"):
        assert not await market.admin.fetchval(rights, login)
