"""Ordinary questions about all clients, asked in words on a market of 1,800 clients: nearly all are answered exactly."""

import json
import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from beerforyou import clock
from beerforyou.catalogue import demo
from beerforyou.catalogue.sync import store
from beerforyou.db.connections import operator
from beerforyou.settings import Settings, load
from tests.cli.program import call
from tests.conftest import FreshSettings
from tests.published.market import Market

QUESTIONS = Path(__file__).parents[1] / "evals/statistics.jsonl"
PLACES = (("California", "San Diego"), ("Texas", "Austin"), ("Colorado", "Denver"), ("Oregon", "Portland"),
          ("Washington", "Seattle"), ("Ohio", "Columbus"))  # fmt: skip
MONTHS = (8, 9, 10, 11)
TOLD = re.compile(r'"2026-(\d\d)"')  # the months in the file of questions, which was written in November 2026
# The n-th beer is bought by one client in 1 + n/8: as with real orders, few beers are everywhere.
ORDERS = """
INSERT INTO core.purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price)
SELECT c.client_id, m || '-' || b.beer_id, m::date, b.beer_id, 1 + (hashtext(c.client_id || b.beer_id) & 7), 3
FROM core.clients c CROSS JOIN unnest($1::text[]) AS m
CROSS JOIN (SELECT beer_id, row_number() OVER (ORDER BY beer_id) AS n FROM core.beers) AS b
WHERE (hashtext(m || c.client_id || b.beer_id) & 1023) < 1024 / (1 + n / 8)
"""


def last(month: int) -> date:
    """Its eleventh day in the year in which somebody means it who says nothing but its name today."""
    today = clock.today(load({}).time_zone)
    return date(today.year - (month > today.month), month, 11)


@pytest.fixture(scope="module")
async def market(fresh_settings: FreshSettings) -> AsyncIterator[Settings]:
    async with fresh_settings() as settings:
        async with operator(settings) as connection:
            await store(connection, demo.breweries(), "demo")
        market = await Market.open(settings)
        for state, city in PLACES:
            await market.settle(f"{state}-", state, city, 300)
        for n in range(40):
            style = demo_style(n)
            await market.brew(
                f"{style} No. {n}", style, f"Brewery {n % 12}", ("micro", "brewpub", "regional", "nano")[n % 4]
            )
        await market.admin.execute(ORDERS, [str(last(month)) for month in MONTHS])
        await market.publish(clock.today(load({}).time_zone))
        await market.admin.close()
        yield settings


def demo_style(n: int) -> str:
    styles = ("IPA", "Lager", "Pilsner", "Hazy IPA", "Stout", "Pale Ale", "Wheat Beer", "Porter")
    return styles[n % len(styles)]


async def test_nearly_all_ordinary_questions_are_answered_with_exactly_what_was_asked(
    market: Settings, tmp_path: Path
) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(TOLD.sub(lambda told: f'"{last(int(told[1])):%Y-%m}"', QUESTIONS.read_text("utf-8")), "utf-8")
    result = await call("eval", "statistics", str(questions), "--as", "Texas-1", "--json", settings=market)
    report = json.loads(result.out)
    wrong = [(line["text"], line["input"], line["why"]) for line in report["lines"] if not line["ok"]]
    assert report["summary"]["answered"] >= 0.95, wrong


@pytest.mark.parametrize(
    "question", ["qual a cerveja mais comprada na Flórida?", "which cider do all clients buy most?"]
)
async def test_what_is_not_published_is_said_so_with_the_nearest_thing(market: Settings, question: str) -> None:
    run = json.loads((await call(question, "--as", "Texas-1", "--json", settings=market)).out)
    assert "nearest" in {block.get("key") for block in run["blocks"]}
    assert run["outcome"] == "answered" and run["labels"] == ["aggregate", "public"]
