"""A client's day: what `load` takes for the future, and where a profile ends."""

from datetime import UTC, date, datetime, timedelta

import pytest

from beerforyou import clock
from beerforyou.clients.profiles import compute, decode
from beerforyou.clock import days
from tests.clients.operator_files import CLIENTS, PURCHASES, Files

HEADER = PURCHASES.splitlines()[0]
# At this moment there are three days on earth, in two years.
NEW_YEAR = datetime(2026, 12, 31, 10, 30, tzinfo=UTC)
# Clocks in New York were put back this morning: by the offset of the day before, it would be the 2nd.
DST = datetime(2026, 11, 2, 4, 30, tzinfo=UTC)
DAYS = [  # the installation's time zone, the client's, the moment, and the client's day
    ("UTC", "Pacific/Kiritimati", NEW_YEAR, date(2027, 1, 1)),
    ("Pacific/Pago_Pago", "Pacific/Kiritimati", NEW_YEAR, date(2027, 1, 1)),
    ("Pacific/Kiritimati", "Pacific/Pago_Pago", NEW_YEAR, date(2026, 12, 30)),
    ("UTC", "America/Sao_Paulo", datetime(2026, 11, 29, 2, 59, tzinfo=UTC), date(2026, 11, 28)),
    ("UTC", "Asia/Kathmandu", datetime(2026, 2, 28, 18, 15, tzinfo=UTC), date(2026, 3, 1)),
    ("UTC", "America/New_York", DST, date(2026, 11, 1)),
    ("UTC", "", NEW_YEAR, date(2026, 12, 31)),
    ("Pacific/Kiritimati", "", NEW_YEAR, date(2027, 1, 1)),
    ("America/New_York", "", DST, date(2026, 11, 1)),
]


def write(files: Files, zones: dict[str, str], bought: list[tuple[str, date]]) -> None:
    """Clients by their time zones; purchases by client and day."""
    rows = [f"{client},Bar {client},Boise,Idaho,United States,83702,en,{zone}" for client, zone in zones.items()]
    files.clients.write_text("\n".join(["client_id,name,city,state,country,postal_code,language,time_zone", *rows, ""]))
    lines = [f"P-{n},{client},{day},Hammer,,Anvil & Oak,,,{n},44" for n, (client, day) in enumerate(bought, 1)]
    files.purchases.write_text("\n".join([HEADER, *lines, ""]))


@pytest.mark.parametrize(("here", "zone", "now", "today"), DAYS)
async def test_the_future_begins_where_the_client_is(
    files: Files, here: str, zone: str, now: datetime, today: date
) -> None:
    write(files, {"C-1": zone}, [("C-1", today + timedelta(n)) for n in (-1, 0, 1, 2, 300)])
    report = await files.load(days=days(here, now), skip_bad=True)
    assert (report.clients, report.purchases, report.bad_count) == (1, 3, 2), "yesterday, today, and a day of grace"
    assert [(bad.line, bad.column) for bad in report.bad] == [(5, "purchased_on"), (6, "purchased_on")]
    assert all(f"in the future: it is {today} where the client is" in bad.reason for bad in report.bad)
    assert await files.connection.fetchval("SELECT time_zone FROM clients") == zone


async def test_a_client_of_before_is_where_it_was(files: Files) -> None:
    """A later file has purchases of it, and a line of another client."""
    write(files, {"C-1": "Pacific/Kiritimati"}, [])
    assert (await files.load(days=days("Pacific/Pago_Pago", NEW_YEAR))).bad == ()
    write(files, {"C-2": ""}, [("C-1", date(2027, 1, 2)), ("C-2", date(2027, 1, 2)), ("C-1", date(2027, 1, 3))])
    report = await files.load(days=days("Pacific/Pago_Pago", NEW_YEAR), skip_bad=True)
    assert [bad.line for bad in report.bad] == [3, 4]


async def test_a_bar_in_auckland_loads_what_it_ordered_today_on_a_server_in_utc(files: Files) -> None:
    """Without a word of where it is."""
    evening = datetime(2026, 11, 28, 21, tzinfo=UTC)
    files.purchases.write_text(
        f"{HEADER}\nP-1,C-1,{clock.today('Pacific/Auckland', evening)},Hammer,,Anvil & Oak,,,1,44\n"
    )
    report = await files.load(days=days("UTC", evening))
    assert (report.purchases, report.bad) == (1, ())


@pytest.mark.parametrize(
    ("zone", "says"),
    [
        ("Sao_Paulo", "write America/Sao_Paulo"),
        ("asia/kathmandu", "write Asia/Kathmandu"),
        ("UTC-3", "write a place, such as"),
        ("Foo+3:17", "write a place, such as"),
        ("Mars/Olympus_Mons", "write one such as"),
        ("UTC'; SELECT 1 --", "write a place, such as"),
        ("posix/America/New_York", "write America/New_York"),
    ],
)
async def test_a_zone_that_is_none_is_refused_by_its_line(files: Files, zone: str, says: str) -> None:
    write(files, {"C-1": "Asia/Kathmandu", "C-2": zone}, [("C-1", date(2026, 10, 1))])
    report = await files.load()
    (bad,) = report.bad
    assert (bad.file, bad.line, bad.column) == ("clients.csv", 3, "time_zone") and says in bad.reason
    assert (report.clients, await files.known()) == (0, {"clients": 0, "beers": 0, "purchases": 0})
    write(files, {"C-1": "Asia/Kathmandu", "C-2": "Etc/GMT+3"}, [("C-1", date(2026, 10, 1))])
    assert ((await files.load()).clients, report.clients) == (2, 0)


async def test_a_zone_that_postgresql_does_not_know_is_refused(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    names = clock.zones() | {"Mars/Olympus_Mons"}
    monkeypatch.setattr(clock, "zones", lambda: names)
    write(files, {"C-1": "Asia/Kathmandu", "C-2": "Mars/Olympus_Mons"}, [])
    (bad,) = (await files.load()).bad
    assert (bad.file, bad.line, bad.column) == ("clients.csv", 3, "time_zone") and "PostgreSQL" in bad.reason


async def test_another_zone_and_none_replace_the_one_before(files: Files) -> None:
    for zone in ("Asia/Kathmandu", "Pacific/Auckland", ""):
        write(files, {"C-1": zone}, [])
        await files.load()
        assert await files.connection.fetchval("SELECT time_zone FROM clients") == zone
    write(files, {"C-1": "Asia/Kathmandu"}, [])
    await files.load()
    files.clients.write_text(CLIENTS)
    await files.load()
    assert await files.connection.fetch("SELECT time_zone FROM clients ORDER BY client_id") == [("",), ("",)]


async def test_a_profile_ends_on_the_clients_day(files: Files) -> None:
    """Computed together at one moment: for one it is the 1st, for another the 30th."""
    zones = {"C-1": "Pacific/Kiritimati", "C-2": "Pacific/Pago_Pago", "C-3": ""}
    today = {"C-1": date(2027, 1, 1), "C-2": date(2026, 12, 30), "C-3": date(2026, 12, 31)}
    around = [(client, today[client] + timedelta(n)) for client in zones for n in (-90, -89, 0, 1)]
    write(files, zones, around)
    assert (await files.load(days=days("UTC", NEW_YEAR))).bad == ()
    assert await compute(files.connection, days("UTC", NEW_YEAR)) == 3
    for place, client in enumerate(zones):
        profile = decode(await files.connection.fetchval("SELECT data FROM profiles WHERE client_id = $1", client))
        quantities = range(4 * place + 1, 4 * place + 4)  # tomorrow's is not there
        assert profile.totals.quantity == sum(quantities) and profile.totals.last == today[client]
        (beer,) = profile.beers
        assert (profile.window, beer.quantity) == ("90d", sum(quantities[1:])), "90 days back from the client's day"


async def test_a_zone_that_is_known_no_more_is_the_installations(files: Files) -> None:
    write(files, {"C-1": ""}, [("C-1", date(2026, 12, 31)), ("C-1", date(2027, 1, 1))])
    await files.load(days=days("UTC", NEW_YEAR))
    await files.connection.execute("UPDATE clients SET time_zone = 'Mars/Olympus_Mons'")
    assert await compute(files.connection, days("UTC", NEW_YEAR)) == 1
    profile = decode(await files.connection.fetchval("SELECT data FROM profiles"))
    assert profile.totals.last == date(2026, 12, 31)
