"""What many send is read once; what it was read with is part of what it was read as."""

from datetime import date

import pytest

from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.index import Catalogue
from beerforyou.reading import read as room
from beerforyou.reading.question import Question
from beerforyou.reading.read import read, read_anew
from beerforyou.reading.reading import Context, Ref, Search
from tests.reading.conftest import TODAY

SHORT = [
    "oi",
    "Obrigado!",
    "sim",
    "Yes, tell me more",
    "Sim, conte mais",
    "Mostrar mais",
    "não",
    "e em março?",
    "Denver",
]
CONTEXTS = [
    Context(),
    Context(language="en"),
    Context(shown=(Ref(id="b0", name="Stone Brewing"),), offered=True),
    Context(search=Search(city="Denver"), question=Question(by=("beer",))),
]


@pytest.mark.parametrize("text", SHORT)
def test_it_is_what_it_would_be_anew(text: str, catalogue: Catalogue) -> None:
    other = Catalogue([Brewery(id="x", name="Oi Brewing", brewery_type="micro", city="Sim")])
    asked = [(c, context, day) for c in (catalogue, other) for context in CONTEXTS for day in (TODAY, date(2025, 1, 2))]
    anew = [read_anew(text, *each) for each in asked]
    assert [read(text, *each) for each in asked] == anew
    again = [read(text, *each) for each in asked]
    assert again == anew and all(read(text, *each) is reading for each, reading in zip(asked, again, strict=True))


def test_what_is_remembered_is_bounded(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST", 10)
    for number in range(30):
        read(f"oi {number}", catalogue, Context(), TODAY)
        assert len(room._remembered[catalogue]) <= 10


def test_a_long_message_is_not_kept(catalogue: Catalogue) -> None:
    text = "quanto gastei com a Stone no mês passado?"
    assert read(text, catalogue, Context(), TODAY) is not read(text, catalogue, Context(), TODAY)
