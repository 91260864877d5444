"""A house without a worker, one client, and runs that this test holds as a worker would."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest
from msgspec.structs import replace

from beerforyou.db.batch import Batch
from beerforyou.house import House, opened
from beerforyou.runs.claim import Claim, claim
from beerforyou.runs.journal import Ending, Journal
from beerforyou.runs.lease import Lease
from beerforyou.usage import Usage
from tests.conftest import FreshSettings
from tests.db.asking import accept
from tests.worker.conftest import CLIENT, bring_client

Taken = Callable[..., Awaitable[Claim]]


@pytest.fixture(scope="module")
async def quick(fresh_settings: FreshSettings) -> AsyncIterator[House]:
    """Shared: a test makes conversations of its own, and takes away what it changes otherwise."""
    async with fresh_settings() as settings:
        await bring_client(settings)
        async with opened(replace(settings, client_concurrency=10_000)) as house:
            yield house


@pytest.fixture
def taken(quick: House) -> Taken:
    """`await taken()`: a run of a new conversation, claimed; `again=claim`: the same by another worker, who takes it over."""

    async def take(again: Claim | None = None, conversation_id: UUID | None = None) -> Claim:
        run_id = again.run_id if again else (await accept(quick.database, CLIENT, "oi", conversation_id))["run_id"]
        if again:
            await quick.database.batch.alone("runs.leave", f"w{again.fencing_token}")
        worker = f"w{again.fencing_token + 1 if again else 1}"
        claimed = await claim(quick.database.batch, run_id, worker, Lease(30.0), quick.settings.planner)
        assert claimed is not None
        return claimed

    return take


def journal(house: House, claimed: Claim, patience_s: float = 10.0, batch: Batch | None = None) -> Journal:
    return Journal(batch or house.database.batch, claimed, patience_s, lambda: True, house.publishing)


def ending(text: str | None = "Olá.", status: str = "succeeded", blocks: object = ()) -> Ending:
    return Ending(
        status=status,
        outcome="answered",
        text=text,
        blocks=blocks,
        context=None,
        labels=[],
        versions={},
        usage=Usage(),
        decisions=[],
    )
