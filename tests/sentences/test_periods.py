"""Days and spans of days in words."""

from datetime import date

import pytest

from beerforyou.sentences.periods import ago, during, span, spelt

TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("since", "until", "portuguese", "english"),
    [
        ("2026-10-01", "2026-10-31", " em outubro de 2026", " in October 2026"),
        ("2026-11-01", "2026-11-30", " em novembro de 2026 até agora", " in November 2026 so far"),
        ("2026-11-01", "2026-11-28", " de 1 a 28 de novembro de 2026", " from November 1 to 28, 2026"),
        ("2024-02-01", "2024-02-29", " em fevereiro de 2024", " in February 2024"),
        ("2024-02-01", "2024-02-28", " de 1 a 28 de fevereiro de 2024", " from February 1 to 28, 2024"),
        ("2026-05-01", "2026-05-15", " de 1 a 15 de maio de 2026", " from May 1 to 15, 2026"),
        ("2026-04-28", "2026-05-03", " de 28 de abril a 3 de maio de 2026", " from April 28 to May 3, 2026"),
        ("2025-12-28", "2026-01-03", " de 28 de dezembro de 2025 a 3 de janeiro de 2026",
         " from December 28, 2025 to January 3, 2026"),
        ("2026-01-01", "2026-06-30", " de janeiro a junho de 2026", " from January to June 2026"),
        ("2025-11-01", "2026-01-31", " de novembro de 2025 a janeiro de 2026", " from November 2025 to January 2026"),
        ("2025-01-01", "2025-12-31", " em 2025", " in 2025"),
        ("2026-01-01", "2026-12-31", " em 2026 até agora", " in 2026 so far"),
        ("2024-01-01", "2025-12-31", " de 2024 a 2025", " from 2024 to 2025"),
        ("2026-11-28", "2026-11-28", " hoje", " today"),
        ("2026-11-27", "2026-11-27", " ontem", " yesterday"),
        ("2026-11-26", "2026-11-26", " em 26 de novembro de 2026", " on November 26, 2026"),
        ("2026-09-01", "", " desde setembro de 2026", " since September 2026"),
        ("2026-09-05", "", " desde 5 de setembro de 2026", " since September 5, 2026"),
        ("", "2026-08-31", " até 31 de agosto de 2026", " up to August 31, 2026"),
        ("", "2026-11-27", " até ontem", " until yesterday"),
        ("", "2026-11-28", " até hoje", " until today"),
        ("", "", "", ""),
    ],
)  # fmt: skip
def test_when(since: str, until: str, portuguese: str, english: str) -> None:
    assert during(span(since, until), "pt", TODAY) == portuguese
    assert during(span(since, until), "en", TODAY) == english


@pytest.mark.parametrize("days", [0, 1, 2, 400])
def test_how_long_ago(days: int) -> None:
    portuguese = {0: "hoje", 1: "ontem"}.get(days, f"há {days} dias")
    english = {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")
    assert (ago(days, "pt"), ago(days, "en")) == (portuguese, english)


@pytest.mark.parametrize("text", ["2026-99", "2026-W54", "2026-02-30", "../..", "", "now", "2026-Q5", "2026-1"])
@pytest.mark.parametrize("column", ["month", "week", "quarter", "day", "order", "year", "weekday", "beer"])
def test_what_is_no_day_stays_as_it_is(text: str, column: str) -> None:
    assert spelt(text, column, "pt") == text
