"""Today is the client's, wherever the process and the installation stand. The moment is given."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from beerforyou import clock
from beerforyou.db.connections import operator
from beerforyou.house import House, opened
from beerforyou.settings import load
from tests.answering.test_planner import Scripted, call, calls, says
from tests.conftest import FreshSettings, Walk

pytestmark = pytest.mark.dated

ZONES = {
    "KI": "Pacific/Kiritimati",
    "AS": "Pacific/Pago_Pago",
    "BR": "America/Sao_Paulo",
    "NP": "Asia/Kathmandu",
    "US": "America/New_York",
    "HERE": "",
}
MOMENTS = {
    "new year, in three days": datetime(2026, 12, 31, 10, 30, tzinfo=UTC),
    "before midnight in UTC": datetime(2026, 11, 28, 23, 59, tzinfo=UTC),
    "after midnight in UTC": datetime(2026, 3, 1, 0, 1, tzinfo=UTC),
    "23:30 in New York on the day of 25 hours": datetime(2026, 11, 2, 4, 30, tzinfo=UTC),
    "23:59 in New York on the day of 23 hours": datetime(2026, 3, 9, 3, 59, tzinfo=UTC),
}
LAST = date(2027, 1, 5)
ORDERS = """
WITH brewed AS (
    INSERT INTO beers (name, style, brewery_name, brewery_city, brewery_state) VALUES ('Hammer', 'Stout', 'Anvil', '', '')
    RETURNING beer_id
), settled AS (
    INSERT INTO clients (client_id, name, city, state, country, postal_code, language, time_zone)
    SELECT id, 'Bar ' || id, '', '', '', '', 'pt', zone FROM unnest($1::text[], $2::text[]) AS c (id, zone)
    RETURNING client_id
)
INSERT INTO purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price)
SELECT client_id, 'P' || day, day, beer_id, extract(day FROM day)::int + 31 * extract(month FROM day)::int, 1
FROM settled, brewed, generate_series('2025-12-25'::date, $3::date, '1 day') AS day
"""


def units(day: date) -> int:
    """As ordered on each day: no two are alike."""
    return day.day + 31 * day.month


@pytest.fixture(scope="module")
async def house(fresh_settings: FreshSettings) -> AsyncIterator[House]:
    async with fresh_settings() as settings:
        async with operator(settings) as connection:
            await connection.execute(ORDERS, list(ZONES), list(ZONES.values()), LAST)
        async with opened(settings) as house:
            yield house


@pytest.fixture(params=MOMENTS)
def now(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[datetime]:
    """And this process is told to stand somewhere else each time."""
    today, moment = clock.today, MOMENTS[request.param]
    with monkeypatch.context() as there:
        there.setattr(clock, "today", lambda zone, now=None: today(zone, now or moment))
        there.setenv("TZ", ("Pacific/Kiritimati", "Pacific/Pago_Pago")[list(MOMENTS).index(request.param) % 2])
        yield moment


def here(client: str, now: datetime, house: House) -> date:
    return clock.today(ZONES[client] or house.settings.time_zone, now)


async def test_today_and_this_month_are_the_clients(house: House, walk: Walk, now: datetime) -> None:
    for client in ZONES:
        today = here(client, now, house)
        assert await counted(walk, client, "quantas unidades comprei hoje?") == units(today)
        month = (date(today.year, today.month, 1) + timedelta(n) for n in range(31))
        expected = sum(units(day) for day in month if day.month == today.month and day <= LAST)
        assert await counted(walk, client, "quantas unidades comprei este mês?") == expected


async def counted(walk: Walk, client: str, question: str) -> int:
    (called,) = (step for step in (await walk(question, client=client))["steps"] if step["kind"] == "tool")
    units = called["output"]["figure"]
    return int(units)


async def test_a_model_is_told_the_clients_day(house: House, walk: Walk, now: datetime) -> None:
    for client in ZONES:
        model = Scripted(says("Oi."))
        await walk("qual a melhor cerveja para hoje?", model, client=client)
        today = here(client, now, house)
        assert f"Today is {today:%A} {today}." in model.requests[0].reminder


async def test_a_models_sql_sees_the_clients_day(house: House, walk: Walk) -> None:
    """By the database's own clock, so that here nothing but the time zone can be given."""
    told = {}
    for client, zone in ZONES.items():
        sql = "SELECT CURRENT_DATE AS day, now() AS moment FROM my_purchases LIMIT 1"
        run = await walk("que dia é hoje?", Scripted(calls(call("run_sql", sql=sql)), says("Hoje.")), client=client)
        ((told[client], moment),) = next(step["output"]["rows"] for step in run["steps"] if step["kind"] == "tool")
        assert told[client] == str(clock.today(zone or house.settings.time_zone, datetime.fromisoformat(moment)))
    assert told["KI"] > told["AS"], "25 hours apart"


def test_the_installation_of_these_tests_is_where_the_process_is(house: House) -> None:
    assert house.settings.time_zone == load({}).time_zone
