"""What was counted, in words: of which purchases, when, by what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal

import msgspec

from beerforyou.by_rule.possible import lists_orders
from beerforyou.by_rule.sql import Bought, Breweries
from beerforyou.by_rule.styles import written
from beerforyou.reading.question import Filter, Question, Span
from beerforyou.sentences import Language, has, listed, money, number, say
from beerforyou.sentences.periods import Span as Days
from beerforyou.sentences.periods import during, named, span
from beerforyou.sentences.rendering import MONEY, heading

_INLINE = ("style", "beer", "brewery", "type")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question as `meant`, and what its words need: `breweries` as they were bought, `today` of the client."""

    question: Question
    language: Language
    today: date | None = None
    currency: str = ""
    breweries: Breweries = {}

    def say(self, key: str, **values: object) -> str:
        return say(key, self.language, **values)

    def listed(self, words: Sequence[str]) -> str:
        return listed(list(words), self.language)


def period(asked: Asked) -> str:
    """ " in October 2026", " from May 1 to 15, 2026 and today"; empty for all time."""
    parts = [during(days(each), asked.language, asked.today).strip() for each in asked.question.spans]
    last: Literal["and", "or"] = "or" if asked.question.having else "and"
    return f" {listed(parts, asked.language, last)}" if parts and all(parts) else ""


def days(given: Span) -> Days:
    return span(given.since, given.until)


def name_of(given: Span, asked: Asked) -> str:
    """ "October 2026", "desde maio de 2026": of one span that stands by itself."""
    whole = days(given)
    if whole.since and whole.until:
        return named(whole, asked.language)
    return during(whole, asked.language).strip() or asked.say("period.all")


def of(asked: Asked) -> tuple[str, str]:
    """ " com IPA e Stout" and " (sem brewpub)": the first thing that is named goes with the figure, the rest in brackets."""
    filters = list(asked.question.filters)
    first = next((each for each in filters if each.field in _INLINE and not each.negated), None)
    if first is None or asked.question.measures[-1] in ("beers", "breweries", "styles"):
        return "", scope(asked)
    filters.remove(first)
    spent = asked.question.measures[-1] in ("amount", "orders") and asked.question.aggregate == "total"
    kind = "amount" if spent else "other"
    return asked.say(f"scope.of_{kind}", what=asked.listed(values(first, asked))), bracketed(asked, filters)


def scope(asked: Asked) -> str:
    """ " (IPA; sem brewpub; seu último pedido)"."""
    only = asked.question.only_order if asked.question.by and not lists_orders(asked.question) else ""
    order = [asked.say(f"scope.{only}_order")] if only else []
    return _in_brackets([*(described(each, asked) for each in asked.question.filters), *order, *bounded(asked)], asked)


def bracketed(asked: Asked, filters: Sequence[Filter]) -> str:
    return _in_brackets([*(described(each, asked) for each in filters), *bounded(asked)], asked)


def bounded(asked: Asked) -> list[str]:
    """ "over $500.00", "pelo menos 20 unidades"."""
    bound, measure = asked.question.bound, asked.question.measures[0]
    if bound is None or not asked.question.by:
        return []
    value = (
        money(bound.figure, asked.language, asked.currency)
        if measure in MONEY
        else number(bound.figure, asked.language)
    )
    figure = asked.say(f"figure.{measure}", value=value, n=bound.figure)
    return [asked.say(f"scope.{bound.way}", n=figure)]


def _in_brackets(parts: Sequence[str], asked: Asked) -> str:
    return asked.say("scope.in_brackets", what="; ".join(parts)) if parts else ""


def described(each: Filter, asked: Asked) -> str:
    what = asked.listed(values(each, asked))
    if each.negated:
        return asked.say("scope.without", what=what)
    return asked.say("scope.only_days", what=what) if each.field == "weekday" else what


def values(each: Filter, asked: Asked) -> list[str]:
    return list(dict.fromkeys(word for value in each.values for word in _worded(each.field, value, asked))) or list(
        each.values
    )


def _worded(field: str, value: str, asked: Asked) -> Iterator[str]:
    """A brewery by the names that it was bought under, a style as styles are written."""
    key = f"{field}.{value}"
    if field == "brewery":
        yield from asked.breweries.get(value, Bought(shown=(value,))).shown
    elif field in ("type", "weekday", "style") and has(key, asked.language):
        yield asked.say(key)
    else:
        yield written(value) if field == "style" else value


def names(asked: Asked) -> list[str]:
    """The beers and breweries that it is about, where it is about nothing else, of any time."""
    question = asked.question
    named_only = all(each.field in ("beer", "brewery") and not each.negated for each in question.filters)
    if question.spans or question.only_order or not named_only:
        return []
    return [name for each in question.filters for name in values(each, asked)]


def unknown(asked: Asked) -> list[str]:
    """Breweries that are named and were never bought from."""
    named_ones = [value for each in asked.question.filters if each.field == "brewery" for value in each.values]
    return [
        value for value in dict.fromkeys(named_ones) if not asked.breweries.get(value, Bought(shown=(value,))).shown
    ]


def summed_up(asked: Asked) -> str:
    """ ": unidades de IPA em outubro de 2026", of what was understood of a question."""
    inline, rest = of(asked)
    what = asked.listed([heading(each, asked.language).lower() for each in asked.question.measures])
    return asked.say("understood.what", what=f"{what}{inline}{period(asked)}{rest}")
