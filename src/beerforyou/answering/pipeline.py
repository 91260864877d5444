"""The product on one screen: how a question walks.

Each step may end the walk by returning an answer. `read` understands the message without a model and answers what
needs none; `plan` lets the model call tools over the client's data and the catalogue.
"""

from beerforyou.answering.planner import plan
from beerforyou.answering.reader import read
from beerforyou.answering.turn import Answer, Turn

STEPS = (read, plan)


async def answer(turn: Turn) -> Answer:
    for step in STEPS:
        found = await step(turn)
        if found is not None:
            return found
    raise AssertionError("the last step always answers")
