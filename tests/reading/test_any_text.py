"""Whatever is sent: a reading comes back, always the same, and soon."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.read import read_anew
from beerforyou.reading.reading import Context, Ref, Search
from tests.reading.conftest import TODAY
from tests.reading.fuzz import check

WORDS = st.sampled_from(
    [
        "cervejarias",
        "breweries",
        "em",
        "in",
        "Denver",
        "Portland",
        "Oregon",
        "ME",
        "novas",
        "new",
        "não",
        "not",
        "já",
        "compro",
        "Stone",
        "Brewing",
        "a",
        "segunda",
        "the",
        "2",
        "3ª",
        "março",
        "may",
        "15/05",
        "últimos",
        "30",
        "dias",
        "sim",
        "yes",
        "quanto",
        "gastei",
        "me",
        "fala",
        "mais",
        "#",
        "?",
        "!",
        ",",
        ".",
        "\n",
        "🍻",
        "👍",
        "CLT-0042",
        "km",
        "20km",
        "''",
        "—",
        "&",
        "L.A.",
    ]
)
CONTEXT = Context(
    shown=(Ref(id="b0", name="Stone Brewing"),),
    search=Search(city="Denver"),
    choices=(Search(city="Portland"),),
    language="en",
)


@given(st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=40).map(" ".join)))
def test_any_text_has_one_reading(catalogue: Catalogue, text: str) -> None:
    for context in (Context(), CONTEXT):
        first = read_anew(text, catalogue, context, TODAY)
        assert first == read_anew(text, catalogue, context, TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "\x00cervejarias\x00em\x00Denver",
        "🍺" * 4000,
        "a" * 4000,
        "cervejaria " * 400,
        "não " * 1000,
        "de " * 1333,
        ", ".join(string.ascii_letters) * 80,
        "Stone Brewing em Denver? " * 160,
        "e\u0301" * 2000,
        "1/" * 2000,
    ],
)
def test_long_and_strange_texts_are_read_in_a_blink(catalogue: Catalogue, text: str) -> None:
    for context in (Context(), CONTEXT):
        check(text, catalogue, context)
