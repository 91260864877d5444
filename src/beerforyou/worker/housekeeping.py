"""What is kept for a while only, and taken away by whichever worker comes by."""

from __future__ import annotations

from beerforyou.db.batch import Batch
from beerforyou.house import House

PORTION = 5000  # rows a statement: 10 to 85 ms, so that nobody waits long for its connection or a row that it takes


async def keep_house(house: House) -> None:
    settings, batch = house.settings, house.database.batch
    days, of_ledger = settings.conversation_days, settings.ledger_days
    await batch.alone("housekeeping.partitions", days, of_ledger)
    await _take_away(batch, "housekeeping.expire_others", days, of_ledger)
    await _take_away(batch, "housekeeping.expire_conversations", days)
    await _take_away(batch, "housekeeping.expire_webhook_messages", days)
    await _take_away(batch, "housekeeping.forget_keys", settings.idempotency_hours)
    await _take_away(batch, "housekeeping.forget_workers")


async def _take_away(batch: Batch, query: str, *older: float) -> None:
    """In portions, as many as there are: what comes in a day goes in a day, however much it is."""
    while (await batch.alone(query, PORTION, *older))[0]["gone"] >= PORTION:
        pass
