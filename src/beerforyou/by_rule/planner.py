"""The planner that needs no key and no network: it plans by what the reading found, and words results from the table of
sentences. It is deterministic, says that no model is there, and never pretends to have read the web.

What was not understood it does not answer as if it had been: it says which words those are, and what it can do.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from beerforyou.by_rule import everyone, picking
from beerforyou.by_rule.possible import cannot, meant
from beerforyou.by_rule.scope import Asked, summed_up
from beerforyou.by_rule.sql import LONGEST, Breweries, write
from beerforyou.by_rule.wording import OURS, failed, word
from beerforyou.by_rule.wording_search import asks_only_unknown, unheeded
from beerforyou.catalogue.names import plain
from beerforyou.llm.connect import OFFLINE
from beerforyou.llm.model import Finish, Reply, Request, TextPart, ToolCall, ToolResult
from beerforyou.reading.question import Question
from beerforyou.reading.reading import Context, Reading, Search
from beerforyou.sentences import Language, listed, say

NO_TOOL = {"off_topic": "talk.off_topic", "other_client": "talk.other_client", "tangled": "talk.tangled"}


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the reading and the conversation know. `breweries` are those of its questions, by the names that were said."""

    reading: Reading
    context: Context
    language: Language
    breweries: Breweries = {}
    today: date | None = None
    currency: str = ""


class _Part(NamedTuple):
    """One of the questions of a message, of which there are one or two."""

    number: int
    reading: Reading
    known: Known

    @property
    def question(self) -> Question | None:
        asked = self.reading.question
        return meant(asked) if asked and asked.about == "me" else asked

    @property
    def asked(self) -> Asked:
        known = self.known
        return Asked(
            question=self.question or Question(), language=known.language, today=known.today, currency=known.currency,
            breweries=known.breweries,
        )  # fmt: skip

    def is_ours(self, result: ToolResult) -> bool:
        return result.call_id.startswith(f"{OURS}{self.number}-")

    def call(self, name: str, args: Any = None, which: int = 0) -> ToolCall:
        """`which` of several calls of one tool. A model may see the id: not every provider takes a long one, or a blank."""
        given = msgspec.to_builtins(args) if args is not None else {}
        return ToolCall(f"{OURS}{self.number}-{which}", name, given)


class _Said(NamedTuple):
    text: str
    finish: Finish = "stop"


def reply(known: Known, request: Request) -> Reply:
    """The next turn of the planner, by rule: the calls, or the sentence when there are results, or nothing may be called."""
    results, names, parts = _results(request), {tool.name for tool in request.tools}, _parts(known)
    may_call = not results and request.tool_choice != "none"
    calls = [call for part in parts for call in _calls(part) if call.name in names] if may_call else []
    if calls:
        return Reply(parts=tuple(calls), model=OFFLINE)
    said = list(_said(parts, results, _message(request)))
    said += [_Said(text) for part in parts if (text := unheeded(part.reading, known.language))]
    finish = min((one.finish for one in said), key=["failed", "stop", "asks"].index)
    return Reply(parts=(TextPart(_joined([one.text for one in said if one.text])),), model=OFFLINE, finish=finish)


def doubt(known: Known, tools: Container[str]) -> str:
    """Why the calls do not follow from the reading alone; nothing where they do: every word is used, and a rule can ask it."""
    return next((why for part in _parts(known) if (why := _doubt(part, tools))), "")


def is_needed(known: Known, tools: Container[str]) -> bool:
    """Whether one of the questions is certain to need a tool, whatever the other one does."""
    return any(not _doubt(part, tools) for part in _parts(known))


def likely(known: Known) -> tuple[ToolCall, ...]:
    """What would be called if the words that are left over said nothing."""
    heard = [part._replace(reading=replace(part.reading, leftover=())) for part in _parts(known)]
    return tuple(call for part in heard for call in _calls(part))


def unused(known: Known) -> tuple[str, ...]:
    """The words that neither a slot nor an intent used."""
    said = [reading.leftover + reading.aside for reading in _readings(known.reading)]
    return tuple(dict.fromkeys(chain.from_iterable(said)))


def _doubt(part: _Part, tools: Container[str]) -> str:
    reading, calls = part.reading, _calls(part)
    places = (
        reading.search and reading.search.also_in and reading.search.not_in
    )  # "not Portland Oregon, Portland Maine"
    doubts = {
        "words are left over": reading.leftover or reading.wishes,
        "what was said around the question is not used": reading.aside,
        "which brewery is meant is not certain": reading.unsure,
        "which place is denied is not certain": places,
        "no rule plans it": not calls,
        "it needs a tool that the token does not cover": not all(call.name in tools for call in calls),
    }
    return next((why for why, holds in doubts.items() if holds), "")


def _joined(texts: Sequence[str]) -> str:
    """What leads in a list or a table stands last, or on a line of its own."""
    whole = [text for text in texts if not text.endswith(":")]
    return "\n".join(filter(None, (" ".join(whole), *(text for text in texts if text.endswith(":")))))


def breweries_in(reading: Reading) -> set[str]:
    """The names of breweries in questions about the client's own purchases."""
    asked = filter(None, (each.question for each in _readings(reading)))
    own = [each for question in asked if question.about == "me" for each in question.filters]
    return {name for each in own if each.field == "brewery" for name in each.values}


def _readings(reading: Reading) -> list[Reading]:
    return [reading, *filter(None, [reading.also])]


def _parts(known: Known) -> list[_Part]:
    return [_Part(number, reading, known) for number, reading in enumerate(_readings(known.reading))]


def _said(parts: Sequence[_Part], results: Sequence[ToolResult], message: str) -> Iterator[_Said]:
    """One after the other; what another model called is worded as it is."""
    theirs = [result for result in results if not result.call_id.startswith(OURS)]
    if theirs:
        yield _worded(results, parts[0])
        return
    for part in parts:
        ours = [result for result in results if part.is_ours(result)]
        yield _worded(ours, part) if ours else _no_tool(part, message)


def _worded(results: Sequence[ToolResult], part: _Part) -> _Said:
    about = picking.worded(part.reading, results, part.known.language)
    return _Said(about or word(results, part.asked), "failed" if failed(results) else "stop")


def _results(request: Request) -> list[ToolResult]:
    """Those that came after the client's last message."""
    found: list[ToolResult] = []
    for message in request.messages:
        if message.role == "user":
            found = []
        found += [part for part in message.parts if isinstance(part, ToolResult)]
    return found


def _message(request: Request) -> str:
    said = [message for message in request.messages if message.role == "user"]
    return " ".join(part.text for part in said[-1].parts if isinstance(part, TextPart)) if said else ""


def _calls(part: _Part) -> tuple[ToolCall, ...]:
    reading = part.reading
    match reading.tool:
        case "search_breweries":
            return () if asks_only_unknown(reading) else (part.call("search_breweries", _search(reading)),)
        case "run_analytical_query":
            return () if _why_not(part) else (part.call("run_analytical_query", _asked(reading)),)
        case "get_website_summary":
            return _details(part)
        case "get_client_profile":
            return (part.call("get_client_profile"),)
        case _:
            return ()


def _asked(reading: Reading) -> dict[str, Any]:
    """As it was read: what it leaves open, the tool settles for every planner alike."""
    question = reading.question or Question()
    return {"about": question.about} | msgspec.to_builtins(question)


def _search(reading: Reading) -> dict[str, Any]:
    """A number of none is the total alone; in arguments a 0 is what nobody named."""
    given: dict[str, Any] = msgspec.to_builtins(reading.search or Search())
    if given.get("limit") == 0:
        del given["limit"]
        given["count_only"] = True
    return given


def _why_not(part: _Part) -> str:
    """The key of the sentence for a question that is not asked of any table; else empty."""
    question = part.question or Question()
    if question.about == "everyone" and (why := everyone.cannot(question)):
        return why  # whatever else it says, it is not published
    if part.reading.leftover:
        return f"understood.{'own' if question.about == 'me' else 'everyone'}"
    if _vague(part):
        return "details.vague"
    why = cannot(question) if question.about == "me" else ""
    if not why and question.about == "me" and len(write(question, part.known.breweries)) > LONGEST:
        why = "too_much"
    return f"cannot.{why}" if why else ""


def _vague(part: _Part) -> str:
    """The name of a brewery that may be any of too many."""
    return next((name for name, bought in part.known.breweries.items() if bought.vague), "")


def _details(part: _Part) -> tuple[ToolCall, ...]:
    """The brewery that was named or picked, or several."""
    reading = part.reading
    refs = [reading.brewery] if reading.brewery else reading.picks
    return tuple(part.call("get_website_summary", args, which) for which, args in enumerate(picking.details(refs)))


def _no_tool(part: _Part, message: str) -> _Said:
    known, reading = part.known, part.reading
    if which := picking.question(reading, known.context, known.language):
        return _Said(which, "asks")
    if reading.tool == "run_analytical_query" and (key := _why_not(part)):
        if key.startswith("understood."):
            return _Said(_not_understood(key, part, message), "asks")
        return _Said(say(key, known.language, name=_vague(part)), "asks")
    if asks_only_unknown(reading):
        return _Said("")  # what is not known is said beside it
    if reading.tool == "get_website_summary":
        return _Said(say("offer.which" if known.context.shown else "details.nothing_shown", known.language), "asks")
    return _Said(
        say(NO_TOOL.get(reading.intent, "talk.unclear"), known.language),
        "stop" if reading.intent in NO_TOOL else "asks",
    )


def _not_understood(key: str, part: _Part, message: str) -> str:
    """What was understood, which words were not, and what can be asked."""
    language = part.known.language
    words = _as_typed(part.reading.leftover, message)
    missing = listed([f"“{word}”" for word in words], language, "or") if words else say("understood.all", language)
    understood = say(key, language, what=summed_up(part.asked), words=missing)
    return f"{understood} {say('understood.can' if key.endswith('own') else 'understood.can_everyone', language)}"


def _as_typed(leftover: Sequence[str], message: str) -> list[str]:
    """As the client wrote them: what is left over is kept in another form."""
    left = set(leftover)
    return list(
        dict.fromkeys(word for word in (raw.strip("?!.,;:()\"'") for raw in message.split()) if plain(word) in left)
    )
