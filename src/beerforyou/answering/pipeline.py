"""The product on one screen: how a question walks.

Each step takes the turn, and may end the walk with a draft. `guard_in` makes the text what a person would see of it, `read`
understands it without a model, `small_talk` answers what needs neither a model nor data, `recall` what was answered before;
`plan` lets the model (or, without one, a rule) call tools over the client's data and the catalogue, and `compose` makes a
draft of what came of it. Every draft, that of an error too, leaves by the last step, and by no other way.
"""

from beerforyou.answering.compose import compose
from beerforyou.answering.ends import ended
from beerforyou.answering.guard_in import guard_in
from beerforyou.answering.guard_out import guard_out
from beerforyou.answering.planner import plan
from beerforyou.answering.read import read
from beerforyou.answering.recall import recall
from beerforyou.answering.small_talk import small_talk
from beerforyou.answering.turn import Answer, Turn

STEPS = (guard_in, read, small_talk, recall, plan, compose, guard_out)


async def answer(turn: Turn) -> Answer:
    return guard_out(turn, await ended(turn, STEPS[:-1]))
