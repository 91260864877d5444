"""The tables of words: the same meanings in every language, each used, each word once."""

from collections import Counter
from importlib import resources

import pytest

from beerforyou.reading.lexicon import LANGUAGES, phrases, table

_PARTS = ("meanings", "values", "beside", "time", "small")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", _PARTS)
def test_every_language_has_every_tag(part: str, language: str) -> None:
    tags = set().union(*(table(each)[part] for each in LANGUAGES))
    assert tags - set(table(language)[part]) == set()


def test_every_meaning_is_used() -> None:
    folder = resources.files("beerforyou.reading")
    code = "".join(f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith(".py"))
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
