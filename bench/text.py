"""What text costs: the guard, plain text, sentences and wording of one answer, in microseconds of CPU.

python bench/text.py
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import date
from itertools import islice
from statistics import median

import msgspec

from beerforyou import prompts
from beerforyou.answering.speech import Speech
from beerforyou.blocks import AnyBlock, BreweryCard, BreweryList, Offer, QuickReplies, Reason, Table, Text
from beerforyou.by_rule import planner
from beerforyou.by_rule.scope import Asked
from beerforyou.by_rule.wording import OURS, word
from beerforyou.catalogue import demo
from beerforyou.guards import outgoing
from beerforyou.guards.canonical import everywhere, presentable
from beerforyou.llm.model import Content, Reply, Request, TextPart, ToolResult, ToolSpec
from beerforyou.llm.settling import settled
from beerforyou.reading.question import Filter, Question, Span
from beerforyou.reading.reading import Context, Reading, Ref, Search
from beerforyou.sentences import number, say
from beerforyou.sentences.rendering import plain
from beerforyou.tools.search import card

ROUNDS = 7
SLICE_S = 0.02  # of one round

PROSE = (
    "I found ten breweries in San Diego that you don't buy from yet. Mill Creek is 12.3 km away, and makes IPA. " * 14
)
ACCENTS = (
    "Encontrei dez cervejarias em São Paulo que você ainda não compra: ótimas opções, a três quilômetros daí. " * 14
)
EMOJI = ACCENTS.replace("ótimas", "🍺 ótimas").replace("daí", "daí ❤️")
HIDDEN = EMOJI.replace("três", "tr\u200bês")


def cards() -> tuple[BreweryCard, ...]:
    reasons = (
        Reason(key="type_top", values={"rank": 2}),
        Reason(key="distance", values={"km": 12.3}),
        Reason(key="no_supplier_in_city", values={"city": "San Diego"}),
    )
    opened = (brewery for brewery in demo.breweries() if brewery.is_open)
    return tuple(card(brewery, 12.34, reasons) for brewery in islice(opened, 10))


def answer(text: str) -> tuple[AnyBlock, ...]:
    """As composed: the sentence, ten breweries, the offer."""
    shown = cards()
    return (
        Text(text=text),
        BreweryList(breweries=shown, total=57, per_page=10, next_page=2),
        Offer(brewery_ids=tuple(c.brewery_id for c in shown), text=say("offer.several", "pt")),
        QuickReplies(replies=tuple(say("offer.pick", "pt", name=c.name) for c in shown[:3])),
    )


def found() -> dict[str, object]:
    """As the model reads a search."""
    lines = [{"name": c.name, "type": c.brewery_type, "place": f"{c.city}, {c.state}", "km": 12.3, "why": "perto"} for c in cards()[:5]]  # fmt: skip
    return {
        "total": 57,
        "page": 1,
        "next_page": 2,
        "only_new": True,
        "place": "San Diego, California",
        "breweries": lines,
    }


TABLE = {
    "sentence": "Unidades por cerveja em março de 2026 (San Diego):",
    "columns": ("beer", "quantity"),
    "rows": (("Hop Song", 1234), ("Casco", 800), ("Pale", 12)),
}
SEARCHED = ToolResult(f"{OURS}a", "search_breweries", found())
ASKED = ToolResult(f"{OURS}b", "run_analytical_query", TABLE)
QUESTION = Question(
    by=("beer",), direction="most", limit=3, spans=(Span(since="2026-03-01", until="2026-03-31"),),
    filters=(Filter(field="city", values=("San Diego",)),),
)  # fmt: skip
ASKING = Asked(question=QUESTION, language="pt")
TOOLS = tuple(ToolSpec(name, "", {}) for name in ("search_breweries", "run_analytical_query", "get_client_profile"))


def planned() -> None:
    """A run by rule: two turns, with the call and with the sentence."""
    reading = Reading(language="pt", intent="own_data", tool="run_analytical_query", question=QUESTION)
    known = planner.Known(reading=reading, context=Context(), language="pt")
    asked = Content("user", (TextPart("quanto comprei em março?"),))
    for messages in ((asked,), (asked, Content("tool", (ASKED,)))):
        reminder = prompts.reminder(date(2026, 11, 22), "pt")
        planner.reply(known, Request(system=prompts.SYSTEM, reminder=reminder, messages=messages, tools=TOOLS))


def spoken(text: str = ACCENTS) -> list[str]:
    """In 20 pieces, as it leaves."""
    speech, step = Speech(), len(text) // 20
    told = [sentence for i in range(0, len(text), step) for sentence in speech.hear(text[i : i + step])]
    return [outgoing.sentence(sentence) for sentence in (*told, speech.end())]


def pieces() -> dict[str, Callable[[], object]]:
    blocks, content = answer(ACCENTS), found()
    table = (Table(columns=("beer", "quantity"), rows=tuple((f"Hop {n}", n) for n in range(50))),)
    context = Context(shown=tuple(Ref(id=c.brewery_id, name=c.name, city=c.city) for c in cards()), search=Search())
    reply = Reply(parts=(TextPart(ACCENTS),), model="some-model")
    request = Request(system="", messages=(), tools=TOOLS, tool_choice="none")
    return {
        "presentable, 1.5 kB of English": lambda: presentable(PROSE),
        "... of Portuguese": lambda: presentable(ACCENTS),
        "... with emoji": lambda: presentable(EMOJI),
        "... with emoji and something hidden": lambda: presentable(HIDDEN),
        "guard of 1.5 kB and ten breweries": lambda: outgoing.blocks(blocks),
        "guard of a table of 50 rows": lambda: outgoing.blocks(table),
        "guard of the context": lambda: outgoing.context(context),
        "guard of what a model reads of a search": lambda: everywhere(msgspec.to_builtins(content)),
        "plain text of 1.5 kB and ten breweries": lambda: plain(blocks, "pt"),
        "plain text of a table of 50 rows": lambda: plain(table, "pt"),
        "1.5 kB spoken in 20 pieces, guarded": spoken,
        "a reply of 1.5 kB settled": lambda: settled(reply, request),
        "wording of a search": lambda: word([SEARCHED], ASKING),
        "wording of a table": lambda: word([ASKED], ASKING),
        "a sentence with a number": lambda: say("search.found", "pt", n=1234, where=""),
        "a number": lambda: number(1234.5, "pt"),
        "planner by rule and prompts, two turns": planned,
    }


def microseconds(run: Callable[[], object]) -> float:
    """The least of a few rounds."""
    run()
    started, times = time.thread_time(), 1
    while time.thread_time() - started < SLICE_S:
        run()
        times += 1
    return min(_round(run, times) for _ in range(ROUNDS)) / times * 1e6


def _round(run: Callable[[], object], times: int) -> float:
    started = time.thread_time()
    for _ in range(times):
        run()
    return time.thread_time() - started


def loop() -> None:
    """The calibrator: what a machine takes for it says how fast it is just now."""
    x = 0
    for i in range(10_000):
        x += i


def main() -> None:
    gc.freeze()
    calibrator = median(microseconds(loop) for _ in range(3))
    print(f"{'a loop of 10,000 additions':44}{calibrator:8.1f} us")
    for name, run in pieces().items():
        print(f"{name:44}{microseconds(run):8.1f} us")


if __name__ == "__main__":
    main()
