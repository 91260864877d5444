"""Names of the catalogue in the words of a message."""

import time

import pytest

from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.mentions import Mention
from beerforyou.catalogue.names import fold, plain


def found(real: Catalogue, text: str, kind: str) -> list[Mention]:
    return [m for m in real.mentions(plain(text).split()) if m.kind == kind]


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("Cervejarias novas em San Diego", "city", ["San Diego"]),
        ("from San Diego to Seattle, please", "city", ["San Diego", "Seattle"]),
        ("breweries in Grants Pass", "city", ["Grants Pass"]),
        ("quero algo de St. Louis", "city", ["Saint Louis"]),
        ("microcervejarias na Alemanha", "country", ["Germany"]),
        ("microcervejarias na Alemanha", "type", ["micro"]),
        ("brew pubs na Carolina do Norte", "state", ["North Carolina"]),
        ("brew pubs na Carolina do Norte", "type", ["brewpub"]),
        ("nothing of west virginia", "state", ["West Virginia"]),
        ("conte mais sobre a Alter Brewing Company", "brewery", ["Alter Brewing Company"]),
        ("Nova York", "city", ["New York"]),
        ("Nova York", "state", ["New York"]),
    ],
)
def test_names_are_found(real: Catalogue, text: str, kind: str, names: list[str]) -> None:
    assert [m.name for m in found(real, text, kind) if not m.short] == names


def test_the_longest_name_wins(real: Catalogue) -> None:
    (state,) = found(real, "em West Virginia", "state")
    assert (state.start, state.end, state.name) == (1, 3, "West Virginia")
    (brewery,) = (m for m in found(real, "sobre a Stone Brewing Co", "brewery") if m.name.startswith("Stone"))
    assert (brewery.start, brewery.end, brewery.full) == (2, 5, True)


def test_a_brewery_by_what_tells_it_from_others_is_marked(real: Catalogue) -> None:
    (mention,) = found(real, "gosto da deschutes", "brewery")
    assert not mention.full
    assert {real.brewery(id).name for id in mention.breweries} == {"Deschutes Brewery"}  # type: ignore[union-attr]


def test_what_may_be_an_ordinary_word_is_marked_short(real: Catalogue) -> None:
    assert {m.name for m in found(real, "me diga or de la in", "state") if m.short} >= {"Maine", "Oregon", "Indiana"}
    assert all(m.short for m in found(real, "me diga or de la in", "state"))


def test_weight_tells_a_well_known_place_from_a_namesake_of_a_word(real: Catalogue) -> None:
    (seattle,), (hope,) = found(real, "seattle", "city"), found(real, "i hope so", "city") or [Mention(start=0, end=0, kind="city", name="")]  # fmt: skip
    assert seattle.weight > 50 > 5 > hope.weight


def test_all_places_of_an_ambiguous_name_are_told(real: Catalogue) -> None:
    (portland,) = found(real, "portland", "city")
    assert [p.state for p in portland.places] == ["Oregon", "Maine", "Michigan"]


def test_every_brewery_is_found_by_its_whole_name(real: Catalogue) -> None:
    for brewery in real.breweries:
        words = fold(brewery.name).split()
        ids = {id for m in real.mentions(words) if m.kind == "brewery" and m.start == 0 for id in m.breweries}
        assert brewery.id in ids, brewery.name


def test_a_message_is_looked_through_in_a_moment(real: Catalogue) -> None:
    words = plain(
        "Bom dia! Quais brewpubs e microcervejarias novas existem em San Diego, Portland e na Carolina do Norte, "
        "parecidas com a Stone Brewing e a Deschutes Brewery, que eu ainda não compro?"
    ).split()
    best = min(_timed(real, words) for _ in range(20))
    assert best < 0.0005, "measured 20 to 40 us; the machine may be busy"


def _timed(real: Catalogue, words: list[str]) -> float:
    start = time.perf_counter()
    real.mentions(words)
    return time.perf_counter() - start
