"""Follow-ups of a question about purchases: replace, add or drop any slot of it ("e stout?", "só as 3 primeiras", "by month").

A message that asks a question of its own ("quanto gastei em março?") takes nothing, however short it is.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec.structs import replace

from beerforyou.catalogue.brewery import Place
from beerforyou.reading.asking.asked import Asked
from beerforyou.reading.asking.evidence import free_marks
from beerforyou.reading.asking.questions import edited, question_of
from beerforyou.reading.asking.steps import asked_in
from beerforyou.reading.intents.leftover import leftover_of
from beerforyou.reading.intents.rules import ANSWERS, TOOL_OF, WISHES, decide
from beerforyou.reading.question import Question
from beerforyou.reading.reading import Context, Intent, Reading, Search
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.utterance import Utterance

DATA = frozenset({"own_data", "statistics"})
_LONGEST = 14  # words: what changes one thing of a question says little more
_ANSWERED = frozenset({"off_topic", "person", "thanks", "goodbye", "greeting", "help"})
_ELSEWHERE = frozenset({"other_client", "off_topic", "recommend", "details", "profile"})  # asked for in so many words


def question_changed(m: Utterance, context: Context, today: date) -> Reading | None:
    """The last question as this message changes it; None for a message that stands alone. Raises Tangled."""
    last = context.question
    if last is None or context.offered or len(m) > _LONGEST:
        return None
    if others := _the_others(m, last):
        return others
    s = Slots(m, today)
    asked = asked_in(s, last, len(context.listed))
    about = _about(m, last, asked)
    if (asked.is_empty and about == last.about) or _says_nothing_else(asked):
        return None
    intent: Intent = "own_data" if about == "me" else "statistics"
    left = _left(s, intent, asked)
    if not _leans(m, s, asked, left):
        return None
    alone = stands_alone(m, asked)
    question = question_of(asked, about) if alone else edited(last, asked, context.listed, m.has("adds"))
    return Reading(
        language=m.language, intent=intent, tool=TOOL_OF[intent], question=replace(question, about=about),
        leans=True, leftover=tuple(left),
    )  # fmt: skip


def _the_others(m: Utterance, last: Question) -> Reading | None:
    """ "ones I don't", "e as que eu não compro?" after breweries one buys from: what is new in the same places."""
    if (
        last.about != "me"
        or last.by != ("brewery",)
        or not (m.has("relative") and m.has("not"))
        or m.has("past", "beer")
    ):
        return None
    asked = {each.field: each.values[0] for each in last.filters if not each.negated and len(each.values) == 1}
    search = Search(city=asked.get("city", ""), state=asked.get("state", ""), type=asked.get("type", ""), only_new=True)
    return Reading(language=m.language, intent="recommend", tool=TOOL_OF["recommend"], search=search, leans=True)


def _about(m: Utterance, last: Question, asked: Asked) -> Literal["me", "everyone"]:
    """ "e os outros bares?", "and me?": the same of all clients, or of this one."""
    if not begins_as_more(m):
        return last.about
    others = free_marks(m, "everyone", asked.words) or free_marks(m, "clients", asked.words)
    return "everyone" if others else "me" if m.has("myself", "my_business") else last.about


def _says_nothing_else(asked: Asked) -> bool:
    """ "a primeira" alone points at a row and asks nothing about it."""
    return bool(asked.pointed) and asked == Asked(pointed=asked.pointed, words=asked.words)


def _left(s: Slots, intent: Intent, asked: Asked) -> list[str]:
    """What is left over, the words apart that only join it to what was said ("e", "só", "what about")."""
    words = set(asked.words)
    for mark in s.m.all("continues", "adds"):
        words.update(range(mark.start, mark.end))
    return list(leftover_of(s, intent, frozenset(words)))


def _leans(m: Utterance, s: Slots, asked: Asked, left: list[str]) -> bool:
    """Is it about the question before?"""
    answer = decide(m, s, ANSWERS)
    if answer in _ANSWERED:
        return False
    if asked.is_empty:
        return not left
    if asked.pointed or asked.beside or (asked.aggregate == "share" and not asked.filters and not asked.by):
        return True
    if speaks_of_self(m) and not begins_as_more(m) and not m.has("of_those"):
        return False
    wish = decide(m, s, WISHES)
    if wish == "statistics" and m.has("popular", "everyone", "clients") and not begins_as_more(m):
        return False
    if wish == "other_client" or m.has("tell_about", "tell_more", "website", "summary", "recommend"):
        return False
    if wish in _ELSEWHERE and (left or (asked.having and (m.has("brewery") or not begins_as_more(m)))):
        return False
    if wish == "search" and (
        m.has("recommend", "exists", "here", "where")
        or (s.type and s.place != Place() and not begins_as_more(m))  # "what brewpubs are in Austin?"
        or (m.has("brewery") and not asked.direction and not asked.by)
    ):
        return False
    return not left or wish in DATA or begins_as_more(m)


def speaks_of_self(m: Utterance) -> bool:
    """Is it said who buys? ("compro", "my")"""
    return any(m.has_at(mark.start, "bought", "measure") or mark.end - mark.start > 1 for mark in m.all("i")) or m.has(
        "possessive"
    )


def begins_as_more(m: Utterance) -> bool:
    return m.starts(0, "and_what_about", "and") or (m.starts(0, "continues", "only") and not m.starts(0, "bare_what"))


def stands_alone(m: Utterance, asked: Asked) -> bool:
    """ "average order value", "top 5 beers last month": a whole question, that only leaves out whose."""
    if begins_as_more(m) or m.has("of_those") or asked.pointed or asked.beside or asked.dropped:
        return False
    ranks = bool(asked.by and asked.direction)
    sums = bool(asked.measures and asked.aggregate in ("mean", "change", "first", "last", "since")) or (
        asked.measures == ("price",) and any(mark.value == "mean" for mark in m.all("aggregate"))
    )
    return ranks or sums or bool(asked.having) or bool(asked.only_order)
