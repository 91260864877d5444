"""SQL that a model wrote sees the day of its client, on connections that all share."""

import asyncio
from datetime import datetime

import msgspec
import pytest

from beerforyou import clock
from beerforyou.db.database import connect
from beerforyou.errors import Refused, SetupError
from beerforyou.house import House
from beerforyou.settings import Settings

ME = "CLT-00001"
ZONES = ["Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Sao_Paulo", "Asia/Kathmandu", "America/New_York", ""]
NOW = "SELECT CURRENT_DATE AS today, now() AS now, CURRENT_TIMESTAMP::date AS cast_to_a_day, to_char(now(), 'YYYY-MM-DD') AS told"


async def days(house: House, zone: str) -> tuple[str, str]:
    """The day by SQL, and by the moment that it says it was: no midnight comes between."""
    ((today, now, cast, told),) = (await house.database.fence.ask(ME, NOW, zone)).rows
    moment = datetime.fromisoformat(now)
    here = clock.local(moment, zone or house.settings.time_zone)
    assert (moment.utcoffset(), today, today) == (here.utcoffset(), cast, told)
    return today, str(clock.today(zone or house.settings.time_zone, moment))


@pytest.mark.parametrize("zone", ZONES)
async def test_the_day_is_the_clients(house: House, zone: str) -> None:
    today, expected = await days(house, zone)
    assert today == expected


async def test_at_any_moment_it_is_another_day_in_kiritimati_than_in_pago_pago(house: House) -> None:
    """They are 25 hours apart. Many at once, so that each connection has the one after the other."""
    asked = await asyncio.gather(*(days(house, zone) for _ in range(10) for zone in ZONES))
    assert all(today == expected for today, expected in asked)
    assert all(asked[at][0] > asked[at + 1][0] for at in range(0, len(asked), len(ZONES)))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT set_config('TimeZone', 'Pacific/Kiritimati', false) AS x",
        "SELECT set_config('TimeZone', 'Foo+3:17', true) AS x",
        "SET TIME ZONE 'Pacific/Kiritimati'",
        "SELECT 1 AS x; SET LOCAL TIME ZONE 'Foo+3:17'",
        "SELECT 1 AS x) AS y; SET TIME ZONE 'Foo+3:17'; SELECT * FROM (SELECT 2 AS x",
        "SELECT authz.enter('v1|x') AS x, now() AS now",
    ],
)
async def test_no_sql_chooses_its_zone(house: House, sql: str) -> None:
    with pytest.raises(Refused):
        await house.database.fence.run(ME, sql, "Asia/Kathmandu")
    for zone in ("Asia/Kathmandu", ""):
        today, expected = await days(house, zone)
        assert today == expected


@pytest.mark.parametrize(
    "zone", ["Foo+3:17", "utc", "UTC'; SET ROLE postgres; --", "UTC' \x00", "../../../etc/passwd", "Mars/Olympus_Mons"]
)
async def test_what_is_no_name_never_reaches_the_database(house: House, zone: str) -> None:
    with pytest.raises(SetupError, match="time zone"):
        await house.database.fence.run(ME, "SELECT 1 AS n", zone)
    assert (await house.database.fence.run(ME, "SELECT 1 AS n", "Asia/Kathmandu")).rows == ((1,),)


async def test_a_name_that_postgresql_does_not_know_is_no_fault_of_the_sql(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = clock.zones() | {"Mars/Olympus_Mons"}
    monkeypatch.setattr(clock, "zones", lambda: names)
    with pytest.raises(SetupError, match="Mars/Olympus_Mons") as raised:
        await house.database.fence.run(ME, "SELECT 1 AS n", "Mars/Olympus_Mons")
    assert raised.value.hint
    with pytest.raises(SetupError, match="Mars/Olympus_Mons") as raised:
        await connect(_elsewhere(house.settings, "Mars/Olympus_Mons"))
    assert "BEERFORYOU_TIME_ZONE" in raised.value.hint
    assert (await house.database.fence.run(ME, "SELECT 1 AS n")).rows == ((1,),)


async def test_without_a_zone_it_is_the_installations(house: House) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        there = await connect(_elsewhere(house.settings, zone))
        ((today, now, *_),) = (await there.fence.ask(ME, NOW)).rows
        await there.close()
        assert today == str(clock.today(zone, datetime.fromisoformat(now)))


def _elsewhere(settings: Settings, zone: str) -> Settings:
    return msgspec.structs.replace(settings, time_zone=zone)
