"""The token that names a client to the database: what it believes, and what it does not."""

import time
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from beerforyou.db.database import connect
from beerforyou.db.identity import Identity
from beerforyou.db.migrate import migrate
from beerforyou.errors import SetupError
from beerforyou.settings import Settings, kept_secret
from tests.conftest import FreshSettings

ENTER = "SELECT authz.enter($1)"


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(settings.database_read_url)
    yield connection
    await connection.close()


def changed(token: str, part: int, value: str) -> str:
    parts = token.split("|")
    parts[part] = value
    return "|".join(parts)


async def test_a_token_names_its_client_whatever_it_is_called(
    client: asyncpg.Connection, token: Callable[[str], str]
) -> None:
    for name in ("CLT-00001", "Bar|do|Zé", "'; --", "日本", ""):
        assert await client.fetchval(ENTER, token(name)) == name


@pytest.mark.parametrize(
    ("part", "value"),
    [(0, "v2"), (1, "00000000"), (2, "9999999999"), (3, b"CLT-00002".hex()), (4, "0" * 64), (4, ""), (4, "zz")],
)
async def test_whatever_is_changed_makes_it_void(
    client: asyncpg.Connection, token: Callable[[str], str], part: int, value: str
) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await client.fetchval(ENTER, changed(token("CLT-00001"), part, value))


@pytest.mark.parametrize("nonsense", [None, "", "v1", "v1||||", "|||||||||", "v1|a|b|c|d|e", b"\x00".hex()])
async def test_nonsense_is_nobody(client: asyncpg.Connection, nonsense: str | None) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await client.fetchval(ENTER, nonsense)


async def test_it_ends_after_half_a_minute(
    client: asyncpg.Connection, token: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 31)
    old = token("CLT-00001")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await client.fetchval(ENTER, old)


async def test_two_keys_are_believed_and_a_third_replaces_the_first(fresh_settings: FreshSettings) -> None:
    from msgspec.structs import replace

    async with fresh_settings() as settings:
        secrets = [
            kept_secret(settings, "identity_secret"),
            *(f"key {n} of thirty-two bytes or more, to test" for n in "ab"),
        ]
        for secret in secrets:
            await migrate(replace(settings, identity_secret=secret))
        client = await asyncpg.connect(settings.database_read_url)
        assert [await believed(client, secret) for secret in secrets] == [False, True, True]
        await client.close()
        with pytest.raises(SetupError, match="does not know the key"):
            await connect(settings)


async def believed(client: asyncpg.Connection, secret: str) -> bool:
    try:
        return bool(await client.fetchval(ENTER, Identity(secret).token("CLT-00001")))
    except asyncpg.InvalidAuthorizationSpecificationError:
        return False
