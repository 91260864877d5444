"""The language: that of the small words; a tie goes to the conversation's, and then to Portuguese."""

from typing import Literal

import pytest

from beerforyou.reading.reading import Context
from tests.reading.conftest import Said


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("cervejarias em Denver", "pt"),
        ("breweries in Denver", "en"),
        ("breweries em San Diego", "pt"),
        ("quero breweries novas in Denver", "pt"),
        ("find cervejarias in Denver for me", "en"),
        ("nao quero", "pt"),
        ("thanks", "en"),
    ],
)
def test_the_small_words_decide(said: Said, text: str, language: str) -> None:
    assert said(text).language == language


@pytest.mark.parametrize(
    "text", ["ok", "?", "info", "menu", "no", "IPA", "!!", "san antonio", "so taproom", "brewpub", "👍"]
)
@pytest.mark.parametrize("language", ["pt", "en"])
def test_what_says_nothing_stays_in_the_language_before(said: Said, text: str, language: str) -> None:
    assert said(text, Context(language=language)).language == language


@pytest.mark.parametrize("language", ["pt", "en"])
def test_a_tie_goes_to_the_conversation(said: Said, language: Literal["pt", "en"]) -> None:
    assert said("Stone Brewing", Context(language=language)).language == language
    assert said("Stone Brewing").language == "pt"
