"""One table of sentences per language, with equal keys, all of them used."""

import re
import string
from datetime import date
from pathlib import Path

import pytest
from babel.numbers import format_currency, format_decimal

from beerforyou import sentences as room
from beerforyou.catalogue.brewery import TYPES
from beerforyou.catalogue.ranking import REASONS
from beerforyou.sentences import LANGUAGES, day, has, in_english, listed, money, number, percent, say, sentences

SOURCE = Path(__file__).parents[2] / "src"
# Rooms whose keys are built from a value: say(f"type.{kind}", ...).
BUILT = {"by", "column", "weekday", "type", "reason", "style"}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_languages_have_equal_keys_and_their_sentences_the_same_values(language: str) -> None:
    ours, english = [{key: fields(text) for key, text in sentences(each).items()} for each in (language, "en")]
    assert ours == english


def test_every_sentence_is_used() -> None:
    code = "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))
    quoted = set(re.findall(r"""["']([a-z_]+\.[a-z0-9_]+)["']""", code))
    stems = set(re.findall(r"""["']([a-z_]+\.[a-z_]*)\{""", code))
    unused = [
        key
        for key in sentences("en")
        if key.partition(".")[0] not in BUILT
        and key.removesuffix("_one") not in quoted
        and not any(key.startswith(stem) for stem in stems)
    ]
    assert unused == []


NUMBERS = [0, 7, -12, 999, 1000, 1234567, -1234.5, 12.04, 1e9, 123456789012]


def test_numbers_and_days_are_written_as_the_language_does() -> None:
    assert (number(1234567, "pt"), number(1234567, "en")) == ("1.234.567", "1,234,567")
    assert (number(1234.5, "pt"), number(1234.5, "en")) == ("1.234,5", "1,234.5")
    assert (number(-0.04, "pt"), number(-0.001, "en", 2)) == ("0,0", "0.00")
    assert (day(date(2026, 3, 1), "pt"), day(date(2026, 3, 1), "en")) == ("01/03/2026", "March 1, 2026")


def test_a_number_of_any_size_is_written() -> None:
    assert number(1e30, "pt").startswith("1.000.000.") and number(10**40, "en").count(",") == 13


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_those_of_the_locale(language: str) -> None:
    assert_as_babel_does(language)


@pytest.mark.parametrize(
    ("locale", "manner", "first_of_march"),
    [
        ("es-CL", "long", "1 de marzo de 2026"),
        ("fr-CA", "long", "1 mars 2026"),
        ("de-AT", "medium", "01.03.2026"),
        ("sv", "short", "2026-03-01"),
        ("ja", "long", "2026年3月1日"),
        ("pl", "d MMMM", "1 marca"),
    ],
)
def test_a_language_is_a_file(
    locale: str, manner: str, first_of_march: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FOLDER", tmp_path)
    (tmp_path / f"{locale}.toml").write_text(
        f'[language]\nlocale = "{locale}"\nenglish = "Some"\nday = "{manner}"\n[word]\nand = "&"\n[t]\nsince = "{{n}}: {{day}}"\n'
    )
    assert day(date(2026, 3, 1), locale) == first_of_march and in_english(locale) == "Some"
    assert say("t.since", locale, n=7, day=date(2026, 3, 1)) == f"7: {first_of_march}"
    assert listed(["a", "b", "c"], locale) == "a, b & c" and not has("language.locale", locale)
    assert_as_babel_does(locale)


def assert_as_babel_does(language: str) -> None:
    locale = room._table(language).locale
    assert locale.decimal_formats[None].grouping == (3, 3)
    for value in NUMBERS:
        assert number(value, language) == format_decimal(value, "#,##0" if value == int(value) else "#,##0.0", locale)


@pytest.mark.parametrize("currency", ["BRL", "USD", "EUR", "JPY"])
@pytest.mark.parametrize("value", [0, 7, 999, 13898.69, 1234567.5])
@pytest.mark.parametrize(("language", "locale"), [("pt", "pt_BR"), ("en", "en")])
def test_money_is_as_babel_writes_it(language: str, locale: str, value: float, currency: str) -> None:
    assert money(value, language, currency) == format_currency(value, currency, locale=locale).replace("\xa0", " ")


def test_money_and_percent_with_their_sign() -> None:
    assert (money(-5, "pt", "BRL"), money(5, "en", "USD", signed=True)) == ("-R$ 5,00", "+$5.00")
    assert (percent(14.8, "pt"), percent(-3, "en", signed=True), percent(9.6, "pt", signed=True)) == (
        "14,8%",
        "-3%",
        "+9,6%",
    )


def test_one_is_not_plural() -> None:
    assert say("search.found", "pt", n=1, where="") == "Encontrei uma cervejaria."
    assert say("search.found", "pt", n=1200, where="") == "Encontrei 1.200 cervejarias."


def test_a_list_reads_as_a_sentence() -> None:
    assert listed(["a", "b", "c"], "pt") == "a, b e c"
    assert listed(["a"], "en") == "a"


def test_every_reason_has_a_sentence() -> None:
    assert {key.partition(".")[2] for key in sentences("en") if key.startswith("reason.")} == set(REASONS)


def test_every_brewery_type_has_a_name() -> None:
    assert {key.partition(".")[2] for key in sentences("en") if key.startswith("type.")} == set(TYPES)
