"""Questions about all clients: as the arguments of the tool, or as a plain no; and the sentences of what it finds."""

from typing import Any

import pytest

from beerforyou.by_rule.everyone import as_question, cannot, statistic
from beerforyou.by_rule.wording_statistics import statistic as worded
from beerforyou.reading.question import Dimension, Field, Filter, Question, Span


def everyone(**slots: Any) -> Question:
    return Question(about="everyone", **slots)


def of(field: Field, *values: str, negated: bool = False) -> tuple[Filter, ...]:
    return (Filter(field=field, values=values, negated=negated),)


@pytest.mark.parametrize("by", ["style", "type", "beer", "brewery", "state", "city", "month"])
def test_a_ranking_asks_for_its_dimension(by: Dimension) -> None:
    asked = everyone(by=(by,), direction="most", limit=3)
    assert statistic(asked) == {"about": "everyone", "measure": "quantity", "by": by, "direction": "most", "limit": 3}
    assert cannot(asked) == ""


@pytest.mark.parametrize(
    ("question", "args"),
    [
        (everyone(measures=("clients",), filters=of("style", "stout")), {"measure": "clients", "style": "stout"}),
        (everyone(by=("beer",), filters=of("state", "Ohio")), {"by": "beer", "state": "Ohio"}),
        (everyone(by=("style",), filters=(*of("city", "Austin"), *of("state", "Texas"))), {"by": "style", "city": "Austin", "state": "Texas"}),
        (everyone(by=("state",), filters=of("type", "brewpub")), {"by": "state", "type": "brewpub"}),
        (everyone(by=("beer",), filters=of("style", "ipa"), direction="least"), {"by": "beer", "style": "ipa", "direction": "least"}),
        (everyone(filters=of("brewery", "Sol")), {"brewery": "Sol"}),
        (everyone(spans=(Span(since="2026-02-01", until="2026-02-28"),)), {"month": "2026-02"}),
        (everyone(spans=(Span(since="2026-02-01", until="2026-03-31"),)), {}),  # said to be of the whole time
        (everyone(spans=(Span(since="2026-02-01"),)), {}),
        (everyone(aggregate="list", by=("style",)), {"by": "style"}),
    ],
)  # fmt: skip
def test_filters_and_a_month_are_handed_on(question: Question, args: dict[str, Any]) -> None:
    assert statistic(question) == {"about": "everyone", "measure": "quantity"} | args
    assert cannot(question) == ""


@pytest.mark.parametrize(
    ("question", "key"),
    [
        (everyone(measures=("amount",)), "no_money"),
        (everyone(measures=("price",), by=("style",)), "no_money"),
        (everyone(measures=("orders",)), "no_averages"),
        (everyone(aggregate="mean", per="month"), "no_averages"),
        (everyone(aggregate="mean", measures=("amount",)), "no_money"),
        (everyone(aggregate="share", by=("style",)), "no_averages"),
        (everyone(aggregate="last"), "no_averages"),
        (everyone(having="stopped", by=("beer",)), "no_averages"),
        (everyone(only_order="last"), "no_averages"),
        (everyone(aggregate="change", by=("brewery",)), "no_growth"),
        (everyone(aggregate="beside"), "no_comparison"),
        (everyone(filters=of("style", "ipa", negated=True)), "one_at_a_time"),
        (everyone(filters=of("style", "ipa", "stout")), "one_at_a_time"),
        (everyone(filters=of("weekday", "1")), "one_at_a_time"),
        (everyone(by=("style", "month")), "one_at_a_time"),
        (everyone(by=("week",)), "one_at_a_time"),
        (everyone(measures=("quantity", "clients")), "one_at_a_time"),
        (everyone(filters=(*of("style", "ipa"), *of("style", "stout"))), "one_at_a_time"),
        (everyone(spans=(Span(since="2026-01-01", until="2026-01-31"), Span(since="2026-02-01", until="2026-02-28"))), "one_at_a_time"),
    ],
)  # fmt: skip
def test_what_is_not_published_is_told_by_its_reason(question: Question, key: str) -> None:
    assert cannot(question) == f"statistics.{key}"


@pytest.mark.parametrize(
    "args",
    [
        {"measure": "quantity", "by": "style", "direction": "least"},
        {"measure": "clients", "style": "stout", "city": "Austin", "state": "Texas"},
        {"measure": "quantity", "by": "month", "beer": "Ale"},
        *(
            {"measure": "quantity", "by": "type", "month": month}
            for month in ("2026-02", "2024-02", "2026-12", "2026-04")
        ),
    ],
)
def test_what_is_published_is_asked_for_as_it_is(args: dict[str, Any]) -> None:
    question = as_question(args)
    assert statistic(question) == {"about": "everyone"} | args and cannot(question) == ""


ROWS = (("IPA", "1-2", "between 240 and 400"), ("Lager", "1-2", "between 220 and 380"), ("Stout", "3", "at least 10"))
RANKING: dict[str, Any] = {
    "by": "style",
    "columns": ("style", "place", "clients"),
    "rows": ROWS,
    "measure": "clients",
    "direction": "most",
}


@pytest.mark.parametrize(
    ("content", "said", "unsaid"),
    [
        (RANKING | {"first": ("IPA", "Lager")}, ["nearly equal: IPA and Lager", "too small to say which is first", "left out"], ["first is"]),
        (RANKING | {"first": ("IPA",), "rows": ROWS[:1]}, ["first is IPA: between 240 and 400 clients"], ["nearly", "tie"]),
        (RANKING | {"first": tuple("abcdefg")}, ["too small to tell an order", "7 are nearly equal"], ["first is"]),
        (RANKING | {"first": ("IPA",), "instead_of": "quantity"}, ["In units", "by how many clients buy", "first is IPA"], []),
        (RANKING | {"first": ("Saison", "IPA"), "unknown": ("Saison",)}, ["How many clients of Saison I can't tell"], ["first is"]),
        (RANKING | {"first": ("Stout",), "rows": ROWS[2:], "direction": "least"}, ["bought least of all I can't show", "smallest that I can show is Stout"], ["first is"]),
        (RANKING | {"first": ("IPA", "Lager"), "more": 4}, ["4 more may be as high"], []),
        ({"by": "", "columns": ("style", "clients"), "rows": (("Stout", "at least 30 clients"),), "measure": "clients", "where": "in Ohio"},
         ["Among all clients in Ohio, Stout: at least 30 clients."], ["left out"]),
    ],
)  # fmt: skip
def test_no_sentence_tells_an_order_that_is_not_known(
    content: dict[str, Any], said: list[str], unsaid: list[str]
) -> None:
    text = worded(content, None, "en")
    assert [part for part in said if part not in text] == []
    assert [part for part in unsaid if part in text] == []


def test_the_whole_time_is_said_where_another_was_asked() -> None:
    asked = everyone(by=("style",), spans=(Span(since="2026-02-01"),))
    assert "of the whole time" in worded(RANKING | {"first": ("IPA",)}, asked, "en")
