"""What is kept for a while only, and taken away by whichever worker comes by."""

from __future__ import annotations

from beerforyou.house import House


async def keep_house(house: House) -> None:
    settings, batch = house.settings, house.database.batch
    await batch.alone("housekeeping.partitions", settings.conversation_days, settings.ledger_days)
    await batch.alone("housekeeping.expire_others", settings.conversation_days, settings.ledger_days)
    await batch.alone("housekeeping.expire_conversations", settings.conversation_days)
    await batch.alone("housekeeping.forget_keys", settings.idempotency_hours)
    await batch.alone("housekeeping.forget_workers")
