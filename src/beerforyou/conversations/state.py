"""Who answers in a conversation: the bot, or a person of the operator's.

While a person does, the client's messages are kept and told to followers, and no run is made of them.
"""

from __future__ import annotations

from uuid import UUID

from beerforyou.conversations.messages import Role, State, not_found
from beerforyou.guards.canonical import visible
from beerforyou.guards.incoming import check_message
from beerforyou.house import House
from beerforyou.runs.run import Event


async def hand_over(house: House, client_id: str, conversation_id: UUID, run_id: UUID | None = None) -> None:
    """To a person: runs that are open are asked to end, but for `run_id`, which says goodbye. Raises NotFound."""
    await _hand(house, client_id, conversation_id, "person", run_id)


async def hand_back(house: House, client_id: str, conversation_id: UUID) -> None:
    """To the bot. Raises NotFound."""
    await _hand(house, client_id, conversation_id, "bot", None)


async def _hand(house: House, client_id: str, conversation_id: UUID, state: State, but: UUID | None) -> None:
    row = await house.database.batch.write("conversations.hand", conversation_id, client_id, state, but)
    if not row["there"]:
        raise not_found(conversation_id)
    if row["number"]:
        house.publishing.happened(conversation_id, [Event(number=row["number"], type="state", data={"state": state})])
    for run_id in row["stopped"]:
        house.publishing.cancelling(run_id)
        house.bell.ring(run_id)


async def say(house: House, client_id: str, conversation_id: UUID, text: str) -> UUID:
    """A message of the operator's, whoever answers otherwise; it changes nothing of that. What draws nothing is left out of it.
    Returns its id.

    Raises BadInput and NotFound.
    """
    said = visible(check_message(text, house.settings.max_message_chars))
    row = await house.database.batch.write("conversations.say", conversation_id, client_id, said)
    if row["number"] is None:
        raise not_found(conversation_id)
    house.publishing.happened(conversation_id, [said_event(row["message_id"], row["number"], "operator", said)])
    return row["message_id"]


def said_event(message_id: UUID, number: int, role: Role, text: str, run_id: UUID | None = None) -> Event:
    data = {"message_id": message_id, "run_id": run_id, "role": role, "text": text}
    return Event(number=number, type="message", data=data)
