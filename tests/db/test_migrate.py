"""Migrations run once, in order, and an edited one is refused."""

import asyncpg
import pytest

from beerforyou.db import migrate
from beerforyou.errors import SetupError
from beerforyou.settings import Settings


async def test_a_second_run_has_nothing_to_do(settings: Settings) -> None:
    assert await migrate.migrate(settings) == []


async def test_an_edited_migration_is_refused(settings: Settings) -> None:
    connection = await asyncpg.connect(settings.database_admin_url)
    await connection.execute("UPDATE public.migrations SET sha256 = 'other'")
    await connection.close()
    with pytest.raises(SetupError, match="not the file that ran"):
        await migrate.migrate(settings)


def test_every_migration_says_whether_it_runs_before_or_after_the_code() -> None:
    names = [migration.name for migration in migrate.migrations()]
    assert names == sorted(names)
    assert all(name.split(".")[1] in ("before", "after") for name in names)
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
