"""The tables of words: the same meanings in every language, each used, each word once."""

import tomllib
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from beerforyou import reading
from beerforyou.reading.words.lexicon import LANGUAGES, phrases, table

TAGS = tomllib.loads(resources.files("beerforyou.reading.words").joinpath("tags.toml").read_text("utf-8"))
# Of these a language has its own, or needs fewer: they name places, or make up numbers from others.
_OPEN = {"number", "ordinal", "multiple", "place_city", "place_state", "place_country"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", TAGS)
def test_every_language_has_the_tags_that_are_defined(part: str, language: str) -> None:
    assert set(table(language)[part]) == set(TAGS[part])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("tag", sorted(set(TAGS["values"]) - _OPEN))
def test_every_language_has_every_value(tag: str, language: str) -> None:
    assert set(table(language)["values"][tag]) == set().union(*(table(each)["values"][tag] for each in LANGUAGES))


def test_every_tag_is_defined_in_one_line() -> None:
    assert all(said and "\n" not in said for tags in TAGS.values() for said in tags.values())


def test_every_meaning_is_used() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in Path(reading.__file__).parent.rglob("*.py"))
    named = {*table("pt")["meanings"], *table("pt")["values"]}
    assert [tag for tag in sorted(named) if f'"{tag}"' not in code and not tag.startswith("place_")] == []


def test_no_phrase_stands_twice_under_one_meaning() -> None:
    for language in LANGUAGES:
        for tag, text in table(language)["meanings"].items():
            twice = [phrase for phrase, times in Counter(part.strip() for part in text.split(",")).items() if times > 1]
            assert (language, tag, twice) == (language, tag, [])


def test_every_entry_is_a_phrase() -> None:
    for language in LANGUAGES:
        for text in (*table(language)["meanings"].values(), *table(language)["function"].values()):
            assert all(phrases(text))
