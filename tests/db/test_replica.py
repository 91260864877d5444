"""A replica that is not there when a process starts: the primary is read, and that is counted."""

import socket

from msgspec.structs import replace

from beerforyou.db.database import connect
from beerforyou.settings import Settings


async def test_a_replica_that_is_down_at_the_start_costs_nothing_but_a_count(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]  # nobody listens there in a moment
    place = f"@127.0.0.1:{port}/beerforyou"
    urls = {field: _with_place(getattr(settings, field), place) for field in ("database_read_url", "database_sql_url")}
    database = await connect(replace(settings, **urls))
    try:
        assert (await database.fence.run("CLT-00001", "SELECT 1 AS n")).rows == ((1,),)
        assert await database.for_tools("CLT-00001").fetch("clients.profile") == []
        assert database.watch and database.watch.fallbacks == 2
    finally:
        await database.close()


def _with_place(url: str, place: str) -> str:
    return url.partition("@")[0] + place
