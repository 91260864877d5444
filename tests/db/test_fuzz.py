"""Some seconds of `python -m tests.db.fuzz`, which goes on for longer by hand."""

from beerforyou.db.database import connect
from beerforyou.isolation.watching import backends, named
from beerforyou.settings import Settings
from tests.db.fuzz import Fuzzing

SECONDS = 20.0


async def test_whatever_looks_like_sql_has_its_verdict_and_its_limits(furnished: Settings) -> None:
    mine, name = named(furnished)
    database = await connect(mine)
    async with backends(furnished, name) as watched:
        fuzzing = Fuzzing(SECONDS)
        await fuzzing.run(database, watched)
    await database.close()
    assert fuzzing.said["refused"] and fuzzing.said["passed"] and fuzzing.said["rows"]
