"""What `doctor` looks at, with one thing wrong at a time: that one is named, with what to do, and the others are looked at
all the same."""

import asyncpg
import msgspec
import pytest

from beerforyou import health
from beerforyou import house as house_module
from beerforyou.db import database
from beerforyou.health import Check, Finding, Handles, Health, Opening, looked
from beerforyou.house import House
from beerforyou.isolation import rehearsal
from beerforyou.settings import Settings

CHECKS: tuple[Check, ...] = (*health.CHECKS, *rehearsal.CHECKS)
ON_DATABASE = {"connections", "postgresql", "fence", "migrations", "catalogue", "planners", "limits", "attacks"}
NOBODY = "127.0.0.1:1"  # where nothing listens
WRONG = {
    "nothing": ({}, set()),
    "no PostgreSQL": ({"database_url": f"postgresql://bfy_service:x@{NOBODY}/bfy"}, ON_DATABASE),
    "no Valkey": ({"valkey_url": f"redis://{NOBODY}", "queue_url": ""}, {"valkey", "queue"}),
    "another identity key": ({"identity_secret": "another key than the one of this database"}, ON_DATABASE),
    "a queue that nobody knows": ({"queue_url": "kafka://localhost"}, {"queue"}),
    "a model that nobody knows": ({"model": "nobody"}, {"model"}),
    "no administrator": ({"database_admin_url": ""}, {"attacks"}),
}


async def examined(settings: Settings) -> dict[str, Finding]:
    async with Opening(settings) as handles:
        return {check.name: await looked(check, handles) for check in CHECKS}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_wrong_is_named_and_nothing_else(furnished: Settings, wrong: str) -> None:
    changes, names = WRONG[wrong]
    seen = await examined(msgspec.structs.replace(furnished, **changes))
    assert {name for name, found in seen.items() if not found.ok} == names
    assert all(found.detail for found in seen.values())
    assert all(seen[name].hint for name in names)


async def test_a_migration_that_has_not_run_is_named(settings: Settings) -> None:
    """One that runs after the code: with another one missing nothing could be opened."""
    admin = await asyncpg.connect(settings.database_admin_url)
    assert (await examined(settings))["migrations"].ok
    await admin.execute("DELETE FROM public.migrations WHERE name LIKE '%.after.%'")
    await admin.close()
    seen = (await examined(settings))["migrations"]
    assert not seen.ok and "have not run" in seen.detail and "db migrate" in seen.hint


async def test_servers_are_opened_once_for_all_checks(furnished: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, usual = list[str](), database.connect

    async def counted(settings: Settings) -> database.Database:
        opened.append("database")
        return await usual(settings)

    monkeypatch.setattr(database, "connect", counted)
    assert all(seen.ok for seen in (await examined(furnished)).values())
    assert opened == ["database"]


async def test_readiness_believes_for_a_while_that_the_fence_stands(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every other of its checks is made each time."""
    looks = list[str]()

    def counted(check: Check) -> Check:
        async def look(handles: Handles) -> str:
            looks.append(check.name)
            return await check.look(handles)

        return msgspec.structs.replace(check, look=look)

    monkeypatch.setattr(health, "CHECKS", [counted(check) for check in health.CHECKS])
    ready = Health(house)
    for _ in range(3):
        assert set((await ready.ready()).values()) == {True}
    assert {name: looks.count(name) for name in looks} == {
        "postgresql": 3,
        "valkey": 3,
        "queue": 3,
        "disk": 3,
        "fence": 1,
    }


def test_every_check_says_what_to_do() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(check.hint for check in CHECKS)


@pytest.mark.parametrize(
    ("changes", "ok", "says"),
    [
        ({"workers": 1}, True, "room for"),
        ({"workers": 2, "database_pool": 4}, True, "2 x 12"),
        ({"workers": 40}, False, "40 x 24"),
        ({"database_pool": 1000}, False, "3000"),
    ],
)
async def test_pools_that_are_more_than_postgresql_gives_are_added_up(
    furnished: Settings, changes: dict[str, int], ok: bool, says: str
) -> None:
    seen = (await examined(msgspec.structs.replace(furnished, **changes)))["connections"]
    assert seen.ok == ok and says in seen.detail and (ok or "max_connections" in seen.hint)


@pytest.mark.parametrize(
    ("files", "wants", "serves", "works", "fits"),
    [
        (100_000, (10_000, 20_000), True, True, (10_000, 20_000)),
        (20_256, (10_000, 20_000), True, True, (10_000, 10_000)),
        (20_256, (2_000, 20_000), True, True, (2_000, 18_000)),
        (1_256, (10_000, 20_000), True, True, (500, 500)),
        (1_256, (10_000, 20_000), False, True, (1_000, 1)),
        (1_256, (10_000, 20_000), True, False, (1, 1_000)),
    ],
)
def test_runs_and_connections_together_need_no_more_files_than_there_are(
    monkeypatch: pytest.MonkeyPatch,
    files: int,
    wants: tuple[int, int],
    serves: bool,
    works: bool,
    fits: tuple[int, int],
) -> None:
    monkeypatch.setattr(house_module, "open_files", lambda: files)
    wanted = Settings(worker_concurrency=wants[0], http_connections=wants[1])
    found = house_module.fitting(wanted, serves=serves, works=works)
    assert (found.worker_concurrency, found.http_connections) == fits
