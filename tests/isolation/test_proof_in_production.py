"""The proof where there is most to go wrong: writes and reads through PgBouncers, the tools on a hot standby."""

from collections.abc import AsyncIterator
from contextlib import ExitStack

import msgspec
import pytest

from beerforyou.isolation import through_sql
from beerforyou.isolation.attack import ours
from beerforyou.isolation.prove import prove
from beerforyou.settings import Settings
from tests.conftest import FreshSettings
from tests.isolation.test_through_pgbouncer_and_replica import started

SOME = slice(0, None, 4)  # of the attacks; test_proof.py has all of them


@pytest.fixture
async def production(fresh_settings: FreshSettings) -> AsyncIterator[Settings]:
    async with fresh_settings() as direct:
        with ExitStack() as replica, ExitStack() as servers:
            settings = started(direct, servers, replica).settings
            yield msgspec.structs.replace(settings, database_admin_url=direct.database_admin_url, replica_lag_s=5.0)


async def test_it_holds_through_poolers_and_on_a_replica(production: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(through_sql, "ours", lambda: ours()[SOME])
    report = await prove(production)
    assert report.holes == []
    assert report.checks["queries"] > 400 and report.checks["pool"] > 0
