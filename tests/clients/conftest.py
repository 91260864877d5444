"""An operator at a database with a small catalogue."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from beerforyou.catalogue.index import Catalogue
from beerforyou.db.connections import operator as operator_of
from beerforyou.settings import Settings
from tests.clients.operator_files import ANVIL, HARBOR, SHUT, Files, keep


@pytest.fixture
async def operator(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    async with operator_of(settings) as connection:
        await keep(connection, HARBOR, ANVIL, SHUT)
        yield connection


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([HARBOR, ANVIL, SHUT])


@pytest.fixture
def files(tmp_path: Path, operator: asyncpg.Connection, catalogue: Catalogue) -> Files:
    return Files(tmp_path, operator, catalogue)
