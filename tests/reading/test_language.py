"""The language: that of the small words; a tie goes to the conversation's, and then to the first by rank."""

import ast
import tomllib
from importlib import resources
from typing import Literal

import pytest

from beerforyou.reading.reading import Context, Search
from beerforyou.reading.words.lexicon import LANGUAGES, lexicon, table
from beerforyou.reading.words.lexicon.spelling import repaired
from tests.reading.conftest import Said

TAGS = tomllib.loads(resources.files("beerforyou.reading.words").joinpath("tags.toml").read_text("utf-8"))


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


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("cervecerías en Denver", "es"),
        ("breweries en Denver", "es"),
        ("cuanto gaste este mes", "es"),
        ("gracias", "es"),
        ("qué día de la semana compro más", "es"),  # its accents alone tell it from Portuguese
        ("que dia da semana compro mais", "pt"),
        ("no quiero la primera", "es"),
        ("não quero a primeira", "pt"),
        ("breweries in Los Angeles", "en"),
        ("brewpubs in El Segundo", "en"),
    ],
)
def test_neighbours_are_told_apart(said: Said, text: str, language: str) -> None:
    assert said(text).language == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_language_before_knows_all_of_stays_in_it(said: Said, language: str) -> None:
    for text in ("no", "ok", "IPA", "!!"):
        assert said(text, Context(language=language)).language == language
    for text in ("claro", "total", "todas"):
        assert language == "en" or said(text, Context(language=language)).language == language


@pytest.mark.parametrize(
    ("text", "languages", "meant"),
    [
        ("cervejrias", ("pt",), "cervejarias"),
        ("cervecrias", ("es",), "cervecerias"),
        ("cervecrias", LANGUAGES, "cervecerias"),
        ("brewreies", LANGUAGES, "breweries"),
        ("deigo", ("en",), "deigo"),  # is San Diego, and "digo" in Spanish alone
        ("vlw", ("pt",), "valeu"),
        ("xq", ("es",), "porque"),
    ],
)
def test_a_word_is_mended_with_those_of_the_languages_that_are_heard(
    text: str, languages: tuple[str, ...], meant: str
) -> None:
    assert repaired(text, languages) == meant


def test_an_everyday_word_of_another_language_is_still_a_name(said: Said) -> None:
    assert said("breweries in Pueblo", Context(language="en")).search == Search(city="Pueblo")
    assert said("cervejarias em Pueblo").search == Search(city="Pueblo")


def test_no_code_knows_a_language() -> None:
    """Neither by its name nor by its words; what two of them share ("bar", "ipa") can't be told from a tag."""
    tags = {tag for part in TAGS.values() for tag in part} | {
        value for values in table("en")["values"].values() for value in values
    }
    words = {word for language in LANGUAGES if language != "en" for word in lexicon(language).single}
    foreign = words - lexicon("en").single - tags
    for room in ("reading", "by_rule", "sentences", "prompts"):
        for file in resources.files(f"beerforyou.{room}").iterdir():
            if file.name.endswith(".py"):
                said = {
                    node.value
                    for node in ast.walk(ast.parse(file.read_text("utf-8")))
                    if isinstance(node, ast.Constant)
                }
                assert (file.name, said & {*foreign, "pt", "es"}) == (file.name, set())
