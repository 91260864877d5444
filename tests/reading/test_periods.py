"""Spans of time, on Sunday 22 November 2026 where nothing else is said."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

import pytest

from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.question import Span
from beerforyou.reading.times.periods import Times, shifted, spans_in
from beerforyou.reading.words.lookups import Lookups
from beerforyou.reading.words.text import words_of
from beerforyou.reading.words.utterance import Utterance
from tests.reading.conftest import TODAY, Said
from tests.reading.said_times import some_phrases, some_words

Utter = Callable[[str], Utterance]


@pytest.fixture
def utter(catalogue: Catalogue) -> Utter:
    return lambda text: Utterance(words_of(text), Lookups(catalogue))


@pytest.fixture
def times(utter: Utter) -> Callable[..., Times]:
    return lambda text, today=TODAY: spans_in(utter(text), today)


def _spans(said: Times) -> list[str]:
    return [f"{span.since}..{span.until}" for span in said.spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mês passado", "2026-10-01..2026-10-31"),
        ("este mês", "2026-11-01..2026-11-30"),
        ("mes retrasado", "2026-09-01..2026-09-30"),
        ("semana passada", "2026-11-09..2026-11-15"),
        ("the week before last", "2026-11-02..2026-11-08"),
        ("semana retrasada", "2026-11-02..2026-11-08"),
        ("ano retrasado", "2024-01-01..2024-12-31"),
        ("last month's orders", "2026-10-01..2026-10-31"),
        ("last quarter", "2026-07-01..2026-09-30"),
        ("no primeiro trimestre", "2026-01-01..2026-03-31"),
        ("in Q1 2025", "2025-01-01..2025-03-31"),
        ("3T25", "2025-07-01..2025-09-30"),
        ("quarto trimestre do ano passado", "2025-10-01..2025-12-31"),
        ("no segundo bimestre", "2026-03-01..2026-04-30"),
        ("1º semestre", "2026-01-01..2026-06-30"),
        ("second half of 2025", "2025-07-01..2025-12-31"),
        ("no trimestre", "2026-10-01..2026-12-31"),
        ("no ano", "2026-01-01..2026-12-31"),
        ("o ano todo", "2026-01-01..2026-12-31"),
        ("ano passado inteiro", "2025-01-01..2025-12-31"),
        ("this week so far", "2026-11-16..2026-11-22"),
        ("so far this year", "2026-01-01..2026-11-22"),
        ("esse ano até agora", "2026-01-01..2026-11-22"),
        ("ytd", "2026-01-01..2026-11-22"),
        ("acumulado do mês", "2026-11-01..2026-11-22"),
    ],
)
def test_whole_units(times: Callable[..., Times], text: str, expected: str) -> None:
    assert _spans(times(f"quanto gastei {text}")) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("outubro do ano passado", "2025-10-01..2025-10-31"),
        ("May last year", "2025-05-01..2025-05-31"),
        ("no ano passado, em outubro", "2025-10-01..2025-10-31"),
        ("março de 2025", "2025-03-01..2025-03-31"),
        ("jan de 25", "2025-01-01..2025-01-31"),
        ("abr/26", "2026-04-01..2026-04-30"),
        ("em 04/2026", "2026-04-01..2026-04-30"),
        ("in oct '25", "2025-10-01..2025-10-31"),
        ("in oct 25", "2025-10-01..2025-10-31"),
        ("on oct 25", "2026-10-25..2026-10-25"),
        ("último outubro", "2026-10-01..2026-10-31"),
        ("last November", "2025-11-01..2025-11-30"),
        ("outubro retrasado", "2025-10-01..2025-10-31"),
        ("em dezembro", "2025-12-01..2025-12-31"),
        ("no mês 5", "2026-05-01..2026-05-31"),
        ("in Octobre", "2026-10-01..2026-10-31"),
        ("em novenbro", "2026-11-01..2026-11-30"),
        ("and may?", "2026-05-01..2026-05-31"),
        ("em 2025", "2025-01-01..2025-12-31"),
    ],
)
def test_months_and_their_years(times: Callable[..., Times], text: str, expected: str) -> None:
    assert _spans(times(f"how much {text}")) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ontem", "2026-11-21..2026-11-21"),
        ("anteontem", "2026-11-20..2026-11-20"),
        ("today's sales", "2026-11-22..2026-11-22"),
        ("no dia 10", "2026-11-10..2026-11-10"),
        ("dia 31", "2026-10-31..2026-10-31"),
        ("the 14th", "2026-11-14..2026-11-14"),
        ("dia 5 de março", "2026-03-05..2026-03-05"),
        ("primeiro de maio", "2026-05-01..2026-05-01"),
        ("vinte e cinco de março", "2026-03-25..2026-03-25"),
        ("march 5th, 2025", "2025-03-05..2025-03-05"),
        ("dia 5 do mês passado", "2026-10-05..2026-10-05"),
        ("30 de novembro", "2025-11-30..2025-11-30"),
        ("29 de fevereiro", "2024-02-29..2024-02-29"),
        ("em 15/05", "2026-05-15..2026-05-15"),
        ("15.05.2026", "2026-05-15..2026-05-15"),
        ("on 2026-05-15", "2026-05-15..2026-05-15"),
        ("na segunda", "2026-11-16..2026-11-16"),
        ("last Friday", "2026-11-20..2026-11-20"),
        ("no último dia 15", "2026-11-15..2026-11-15"),
        ("na semana do dia 9", "2026-11-09..2026-11-15"),
        ("the first of the month", "2026-11-01..2026-11-01"),
        ("the day before yesterday", "2026-11-20..2026-11-20"),
        ("há 15 dias", "2026-11-07..2026-11-07"),
        ("sábado passado", "2026-11-21..2026-11-21"),
        ("sexta retrasada", "2026-11-13..2026-11-13"),
        ("sexta, 13 de março", "2026-03-13..2026-03-13"),
        ("última sexta de outubro", "2026-10-30..2026-10-30"),
        ("no fim de semana passado", "2026-11-14..2026-11-15"),
    ],
)
def test_days(times: Callable[..., Times], text: str, expected: str) -> None:
    assert _spans(times(f"quanto gastei {text}")) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nos últimos 30 dias", "2026-10-24..2026-11-22"),
        ("nos ultimos quinze dias", "2026-11-08..2026-11-22"),
        ("in the past two weeks", "2026-11-09..2026-11-22"),
        ("last fortnight", "2026-11-09..2026-11-22"),
        ("in the last couple of weeks", "2026-11-09..2026-11-22"),
        ("nos 3 últimos meses", "2026-08-23..2026-11-22"),
        ("last 6 months", "2026-05-23..2026-11-22"),
        ("em 3 meses", "2026-08-23..2026-11-22"),
        ("não compro há 60 dias", "2026-09-24..2026-11-22"),
        ("há dois meses", "2026-09-01..2026-09-30"),
        ("two months ago", "2026-09-01..2026-09-30"),
        ("três semanas atrás", "2026-10-26..2026-11-01"),
        ("i spent a year ago", "2025-01-01..2025-12-31"),
        ("há mais de 2 meses", "..2026-09-22"),
        ("last four months of 2025", "2025-09-01..2025-12-31"),
        ("nos 6 primeiros meses de 2025", "2025-01-01..2025-06-30"),
        ("de uma semana pra cá", "2026-11-16..2026-11-22"),
        ("primeiros 3 meses do ano", "2026-01-01..2026-03-31"),
        ("primeira quinzena de outubro", "2026-10-01..2026-10-15"),
        ("quinzena passada", "2026-11-01..2026-11-15"),
        ("segunda quinzena", "2026-11-16..2026-11-30"),
        ("primeira semana desse mes", "2026-11-01..2026-11-07"),
        ("segundo trimestre de 25", "2025-04-01..2025-06-30"),
        ("last week of October", "2026-10-25..2026-10-31"),
        ("primeira metade de outubro", "2026-10-01..2026-10-15"),
    ],
)
def test_counted_ones_and_parts(times: Callable[..., Times], text: str, expected: str) -> None:
    assert _spans(times(f"quanto gastei {text}")) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("antes de setembro", "..2026-08-31"),
        ("before 2015", "..2014-12-31"),
        ("since March", "2026-03-01.."),
        ("until yesterday", "..2026-11-21"),
        ("até o fim de maio", "..2026-05-31"),
        ("depois de 10/10", "2026-10-11.."),
        ("a partir de maio", "2026-05-01.."),
        ("from May on", "2026-05-01.."),
        ("de abril pra cá", "2026-04-01.."),
        ("do dia 10 em diante", "2026-11-10.."),
        ("desde o começo do ano", "2026-01-01.."),
        ("since two weeks ago", "2026-11-08.."),
        ("de janeiro a março", "2026-01-01..2026-03-31"),
        ("de março até hoje", "2026-03-01..2026-11-22"),
        ("entre 1 e 15 de maio", "2026-05-01..2026-05-15"),
        ("between May 1 and 15", "2026-05-01..2026-05-15"),
        ("5 to 9 March", "2026-03-05..2026-03-09"),
        ("Mar 5-9", "2026-03-05..2026-03-09"),
        ("5 a 9/3", "2026-03-05..2026-03-09"),
        ("on 01/10 to 15/10", "2026-10-01..2026-10-15"),  # 15/10 tells how both are written
        ("de 30 dias atrás até hoje", "2026-10-23..2026-11-22"),
        ("dez/25 a fev/26", "2025-12-01..2026-02-28"),
        ("esse mês e o passado", "2026-11-01..2026-11-30 2026-10-01..2026-10-31"),
        ("de 28/12 a 05/01", "2025-12-28..2026-01-05"),
        ("de novembro a fevereiro", "2025-11-01..2026-02-28"),
        ("from the 5th to the 9th of March", "2026-03-05..2026-03-09"),
        ("do dia 5 ao dia 9", "2026-11-05..2026-11-09"),
        ("do começo do ano até setembro", "2026-01-01..2026-09-30"),
        ("Mar 5 and 9", "2026-03-05..2026-03-05 2026-03-09..2026-03-09"),
        ("5 e 9 de março de 2025", "2025-03-05..2025-03-05 2025-03-09..2025-03-09"),
        ("outubro e novembro de 2025", "2025-10-01..2025-10-31 2025-11-01..2025-11-30"),
        ("jan, fev e mar de 2025", "2025-01-01..2025-01-31 2025-02-01..2025-02-28 2025-03-01..2025-03-31"),
        ("first and second quarter of 2025", "2025-01-01..2025-03-31 2025-04-01..2025-06-30"),
        ("esse ano vs ano passado", "2026-01-01..2026-12-31 2025-01-01..2025-12-31"),
        ("a mais de setembro pra outubro, a diferença", "2026-09-01..2026-09-30 2026-10-01..2026-10-31"),
        ("variação entre agosto e setembro", "2026-08-01..2026-08-31 2026-09-01..2026-09-30"),
        ("outubro e o mês anterior", "2026-10-01..2026-10-31 2026-09-01..2026-09-30"),
        ("esse mês e o mesmo mês do ano passado", "2026-11-01..2026-11-30 2025-11-01..2025-11-30"),
    ],
)
def test_open_ones_ranges_and_lists(times: Callable[..., Times], text: str, expected: str) -> None:
    said = times(f"quanto gastei {text}")
    assert _spans(said) == expected.split()
    assert not said.unknown


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [
        ("nos fins de semana", (6, 7)),
        ("on weekends", (6, 7)),
        ("aos sábados", (6,)),
        ("on Mondays and Thursdays", (1, 4)),
        ("toda sexta", (5,)),
        ("every Friday", (5,)),
        ("em dias úteis", (1, 2, 3, 4, 5)),
        ("de segunda a quinta", (1, 2, 3, 4)),
        ("from Friday to Monday", (1, 5, 6, 7)),
    ],
)
def test_days_of_all_weeks(times: Callable[..., Times], text: str, weekdays: tuple[int, ...]) -> None:
    said = times(f"quanto gastei {text}")
    assert (said.weekdays, said.spans) == (weekdays, ())
    assert said.weekday_words


@pytest.mark.parametrize(
    "text",
    [
        "no verão", "last winter", "na páscoa", "natal passado", "31 de fevereiro", "29/02/2025", "dia 45", "next month",
        "amanhã", "no começo do mês", "at the end of October", "meados de maio", "nos últimos tempos", "nos últimos meses",
        "há meses", "last few weeks", "24 horas", "semana 12", "em dezembro de 2026", "in 2030", "o mês antes",
        "sexta, 12 de março", "daqui a 3 dias", "todo dia 5", "last weekend of October", "a while ago", "ultimamente", "primeira semana", "duas sextas atrás",
    ],
)  # fmt: skip
def test_times_that_are_not_understood_are_told(times: Callable[..., Times], text: str) -> None:
    """And none of their words makes a span: "começo do mês" is not that month."""
    said = times(f"quanto gastei {text}")
    assert said.spans == ()
    assert said.unknown


@pytest.mark.parametrize(
    "text",
    [
        "may I see my orders?", "quero ver a segunda", "set my orders by style", "o mar da Bahia", "segunda opção",
        "na sexta cervejaria", "top 5 de IPA", "dez cervejas", "we march on", "the second one", "details on the 2nd", "spend on the second", "quanto gastei por mês",
        "média mensal", "by weekday", "por dia da semana", "monthly average", "1/2 barrel", "me fala da Fremont Brewing",
        "que eu nunca comprei até hoje", "até amanhã!", "2025 caixas", "a 3rd of it", "gosto mais da segunda",
    ],
)  # fmt: skip
def test_words_that_only_look_like_times(times: Callable[..., Times], text: str) -> None:
    assert times(text) == Times()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("quanto gastei desde março em Austin", "desde marco"),
        ("how much did I buy in the last 30 days from Stone", "in the last 30 days"),
        ("comprei antes de 10/10 na Stone", "antes de 10 10"),
        ("entre outubro e novembro quanto foi", "entre outubro e novembro"),
        ("top 5 de outubro", "de outubro"),
        ("as 10 mais compradas em outubro e em dezembro", "em outubro em dezembro"),
    ],
)
def test_each_span_tells_its_words(times: Callable[..., Times], utter: Utter, text: str, words: str) -> None:
    said = times(text)
    plain = utter(text).plain
    assert " ".join(plain[i] for i in sorted(said.words)) == words
    assert said.words == frozenset().union(*said.each)
    assert len(said.each) == len(said.spans)


@pytest.mark.parametrize(
    ("since", "until", "text", "expected"),
    [
        ("2026-10-01", "2026-10-31", "e o mês antes?", "2026-09-01..2026-09-30"),
        ("2026-10-01", "2026-10-31", "and the month before?", "2026-09-01..2026-09-30"),
        ("2026-10-01", "2026-10-31", "mês anterior", "2026-09-01..2026-09-30"),
        ("2026-10-01", "2026-10-31", "e o anterior?", "2026-09-01..2026-09-30"),
        ("2026-08-01", "2026-08-31", "e no mês seguinte?", "2026-09-01..2026-09-30"),
        ("2026-08-01", "2026-08-31", "two months later", "2026-10-01..2026-10-31"),
        ("2026-03-01", "2026-03-31", "dois meses antes", "2026-01-01..2026-01-31"),
        ("2026-02-01", "2026-02-28", "e no ano anterior?", "2025-02-01..2025-02-28"),
        ("2024-02-01", "2024-02-29", "the year before", "2023-02-01..2023-02-28"),
        ("2026-10-01", "2026-10-31", "mesmo período do ano passado", "2025-10-01..2025-10-31"),
        ("2026-01-01", "2026-12-31", "e no ano anterior?", "2025-01-01..2025-12-31"),
        ("2026-11-09", "2026-11-15", "the week before", "2026-11-02..2026-11-08"),
        ("2026-11-21", "2026-11-21", "e no dia anterior?", "2026-11-20..2026-11-20"),
        ("2026-07-01", "2026-09-30", "previous quarter", "2026-04-01..2026-06-30"),
        ("2026-10-24", "2026-11-22", "e o anterior?", "2026-09-24..2026-10-23"),
        ("2026-11-01", "2026-11-30", "e o mês seguinte?", ""),  # the future
    ],
)
def test_what_is_beside_the_last_span(utter: Utter, since: str, until: str, text: str, expected: str) -> None:
    said = shifted(Span(since=since, until=until), utter(text), TODAY)
    assert said is not None
    assert " ".join(_spans(said)) == expected
    assert bool(said.unknown) is not bool(expected)


@pytest.mark.parametrize(
    "text", ["e em março?", "mês passado", "e por cervejaria?", "e o mês retrasado?", "antes de maio"]
)
def test_what_is_not_beside_it(utter: Utter, text: str) -> None:
    assert shifted(Span(since="2026-10-01", until="2026-10-31"), utter(text), TODAY) is None


def test_any_phrase_of_the_grammar_on_any_day(utter: Utter) -> None:
    """What they mean is found by walking back day by day, and not as the code does it."""
    wrong = []
    for text, today, expected in some_phrases(10_000, seed=12):
        said = spans_in(utter(text), today)
        if (_spans(said), bool(said.unknown)) != (expected, not expected):
            wrong.append((text, today.isoformat(), expected, _spans(said)))
    assert wrong == []


def test_any_words_of_time_make_spans_that_have_begun(utter: Utter) -> None:
    for text, today in some_words(1_500, seed=12):
        m = utter(text)
        said = spans_in(m, today)
        shifted(Span(since="2024-02-29", until="2024-02-29"), m, today)
        assert all(not span.since or span.since <= (span.until or "9") for span in said.spans), text
        assert all(span.since <= today.isoformat() for span in said.spans), text
        assert said.words | said.unknown | said.weekday_words <= frozenset(range(len(m))), text
        assert said.words.isdisjoint(said.unknown), text


def test_a_usual_message_costs_little(utter: Utter) -> None:
    """In units of a loop, so that the machine's speed does not count: 30 to 40 us where that loop takes 4 ms."""
    messages = [
        utter(text)
        for text in ("quanto gastei mês passado", "how much did I spend in May last year on IPAs", "últimos 30 dias")
    ]
    for m in messages:
        spans_in(m, TODAY)
    assert min(_cost(messages) for _ in range(9)) < 0.02


def _cost(messages: list[Utterance]) -> float:
    started = time.thread_time()
    for m in messages * 20:
        spans_in(m, TODAY)
    spent = (time.thread_time() - started) / (20 * len(messages))
    started = time.thread_time()
    sum(i for i in range(100_000))
    return spent / (time.thread_time() - started)


def test_a_question_has_the_whole_time(said: Said) -> None:
    question = said("quanto gastei entre 1 e 15 de maio").question
    assert question is not None
    assert question.spans == (Span(since="2026-05-01", until="2026-05-15"),)


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 12, 31), date(2027, 1, 1)])
def test_absurd_numbers_are_no_time(times: Callable[..., Times], today: date) -> None:
    for text in ("últimos 99999 dias", "há 999999 anos", "in the last 5000 months", "0 dias atrás"):
        said = times(text, today)
        assert (said.spans, bool(said.unknown)) == ((), True)


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("in the spring", "United States", "2026-03-20..2026-06-20"),
        ("last winter", "United States", "2025-12-21..2026-03-19"),
        ("last fall", "United States", "2025-09-23..2025-12-20"),  # this one goes on until December
        ("this fall", "United States", "2026-09-23..2026-12-20"),
        ("no verão passado", "Brazil", "2025-12-21..2026-03-19"),
        ("no inverno", "Brazil", "2026-06-21..2026-09-22"),
        ("nesta primavera", "Brazil", "2026-09-23..2026-12-20"),
        ("el verano pasado", "Mexico", "2026-06-21..2026-09-22"),
        ("el verano pasado", "Argentina", "2025-12-21..2026-03-19"),
    ],
)
def test_a_season_is_that_of_where_the_client_is(catalogue: Catalogue, text: str, country: str, expected: str) -> None:
    said = spans_in(Utterance(words_of(f"quanto gastei {text}"), Lookups(catalogue, country)), TODAY)
    assert (_spans(said), said.unknown) == ([expected], frozenset())


@pytest.mark.parametrize("text", ["in winter 2025", "na alta temporada", "next summer"])
def test_a_season_that_may_be_two_is_told(catalogue: Catalogue, text: str) -> None:
    said = spans_in(Utterance(words_of(f"quanto gastei {text}"), Lookups(catalogue, "Brazil")), TODAY)
    assert said.spans == () and said.unknown
