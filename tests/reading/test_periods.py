"""Spans of time, on Sunday 22 November 2026."""

from datetime import date, timedelta

import pytest

from tests.reading.conftest import Said


@pytest.mark.parametrize(
    ("said_time", "since", "until"),
    [
        ("mês passado", "2026-10-01", "2026-11-01"),
        ("este mês", "2026-11-01", "2026-12-01"),
        ("last quarter", "2026-07-01", "2026-10-01"),
        ("no primeiro trimestre", "2026-01-01", "2026-04-01"),
        ("in Q1 2025", "2025-01-01", "2025-04-01"),
        ("ano passado", "2025-01-01", "2026-01-01"),
        ("semana passada", "2026-11-09", "2026-11-16"),
        ("ontem", "2026-11-21", "2026-11-22"),
        ("nos últimos 30 dias", "2026-10-23", "2026-11-23"),
        ("in the past two weeks", "2026-11-08", "2026-11-23"),
        ("last 6 months", "2026-05-22", "2026-11-23"),
        ("em março", "2026-03-01", "2026-04-01"),
        ("em dezembro", "2025-12-01", "2026-01-01"),
        ("março de 2025", "2025-03-01", "2025-04-01"),
        ("since January", "2026-01-01", ""),
        ("até março", "", "2026-04-01"),
        ("entre 1 e 15 de maio", "2026-05-01", "2026-05-16"),
        ("between May 1 and May 15", "2026-05-01", "2026-05-16"),
        ("de março a maio", "2026-03-01", "2026-06-01"),
        ("dia 5 de março", "2026-03-05", "2026-03-06"),
        ("em 15/05", "2026-05-15", "2026-05-16"),
        ("on 2026-05-15", "2026-05-15", "2026-05-16"),
        ("na segunda", "2026-11-16", "2026-11-17"),
        ("last Friday", "2026-11-20", "2026-11-21"),
        ("em 31 de fevereiro", "2026-02-28", "2026-03-01"),
    ],
)
def test_spans_of_time(said: Said, said_time: str, since: str, until: str) -> None:
    question = said(f"quanto gastei {said_time}").question
    assert question is not None
    (span,) = question.spans
    last = (date.fromisoformat(until) - timedelta(1)).isoformat() if until else ""
    assert (span.since, span.until) == (since, last)


@pytest.mark.parametrize(
    "text", ["may I see my orders?", "quero ver a segunda", "set my orders by style", "o mar da Bahia"]
)
def test_words_that_are_spelt_like_months_and_days(said: Said, text: str) -> None:
    question = said(text).question
    assert question is None or not question.spans


def test_a_months_end_goes_back_to_a_month_with_fewer_days(said: Said) -> None:
    question = said("quanto gastei nos últimos 6 meses", today=date(2026, 8, 31)).question
    assert question is not None
    assert question.spans[0].since == "2026-02-28"
