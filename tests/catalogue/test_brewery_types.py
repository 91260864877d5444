"""What types of breweries are called, in every language."""

from collections import defaultdict

import pytest

from beerforyou.catalogue.brewery import TYPES
from beerforyou.catalogue.brewery_types import BY_LANGUAGE, resolve_type
from beerforyou.catalogue.names import plain
from beerforyou.reading.words.lexicon import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_words_for_every_type(language: str) -> None:
    assert set(BY_LANGUAGE[language]) == set(TYPES)
    assert all(BY_LANGUAGE[language].values())


def test_no_word_means_two_types() -> None:
    kinds = defaultdict(set)
    for said in BY_LANGUAGE.values():
        for kind, words in said.items():
            for word in words:
                kinds[plain(word)].add(kind)
    assert [word for word, meant in kinds.items() if len(meant) > 1] == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [("microcervecerías", "micro"), ("sidreria", "cidery"), ("nanobrewery", "nano"), ("microcervejarias", "micro"),
     ("cervecería grande", "large"), ("cigana", "contract"), ("jardines de cerveza", "beergarden")],
)  # fmt: skip
def test_a_type_is_known_by_its_words_in_any_language(text: str, kind: str) -> None:
    assert resolve_type(text) == kind
