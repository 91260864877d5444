"""One table of sentences per language, with equal keys, all of them used."""

import re
import string
from datetime import date
from pathlib import Path

import pytest

from beerforyou.catalogue.brewery import TYPES
from beerforyou.catalogue.ranking import REASONS
from beerforyou.sentences import day, listed, number, say, sentences

SOURCE = Path(__file__).parents[2] / "src"
# Rooms whose keys are built from a value: say(f"type.{kind}", ...).
BUILT = {"by", "column", "weekday", "type", "reason"}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_languages_have_equal_keys() -> None:
    assert sentences("pt").keys() == sentences("en").keys()


@pytest.mark.parametrize("key", sorted(sentences("en")))
def test_a_sentence_takes_the_same_values_in_each_language(key: str) -> None:
    assert fields(sentences("pt")[key]) == fields(sentences("en")[key])


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


def test_numbers_and_days_are_written_as_the_language_does() -> None:
    assert (number(1234567, "pt"), number(1234567, "en")) == ("1.234.567", "1,234,567")
    assert (number(1234.5, "pt"), number(1234.5, "en")) == ("1.234,5", "1,234.5")
    assert (day(date(2026, 3, 1), "pt"), day(date(2026, 3, 1), "en")) == ("01/03/2026", "March 1, 2026")


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
