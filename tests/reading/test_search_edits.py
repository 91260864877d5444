"""Follow-ups of a search edit it: one slot is replaced, added or left out, and the others stay."""

import pytest

from beerforyou.reading.reading import Context, Ref, Search
from tests.reading.conftest import Said

AUSTIN = Search(city="Austin")
NEW = Search(city="San Diego", state="California", type="brewpub", only_new=True)
SHOWN = tuple(Ref(id=f"b{n}", name=f"Brewery {n}") for n in (1, 2, 3, 6, 10))


def edited(said: Said, text: str, last: Search, shown: tuple[Ref, ...] = SHOWN) -> Search | None:
    reading = said(text, Context(search=last, shown=shown, offered=True, language="pt"))
    assert reading.tool == "search_breweries", reading
    return reading.search


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("tem nano?", Search(city="Austin", type="nano")),
        ("any cideries", Search(city="Austin", type="cidery")),
        ("só taproom", Search(city="Austin", type="taproom")),
        ("então taproom", Search(city="Austin", type="taproom")),
        ("pode ser nano ou micro", Search(city="Austin", type="nano", also_types=("micro",))),
        ("nano ones", Search(city="Austin", type="nano")),
        ("sem brewpub", Search(city="Austin", not_types=("brewpub",))),
        ("not brewpubs", Search(city="Austin", not_types=("brewpub",))),
        ("tira as grandes", Search(city="Austin", not_types=("large",))),
        ("exclude the big ones", Search(city="Austin", not_types=("large",))),
        ("qualquer tipo menos brewpub", Search(city="Austin", not_types=("brewpub",))),
        ("só as que eu não compro", Search(city="Austin", only_new=True)),
        ("ones I don't buy", Search(city="Austin", only_new=True)),
        ("quantas são no total?", Search(city="Austin", limit=0)),
        ("how many?", Search(city="Austin", limit=0)),
        ("show me ten", Search(city="Austin", limit=10)),
        ("quero as 3 mais perto", Search(city="Austin", nearest=True, limit=3)),
        ("which one is the closest", Search(city="Austin", nearest=True, limit=1)),
        ("menos de 10 km", Search(city="Austin", within_km=10.0)),
        ("closer than 5 miles", Search(city="Austin", within_km=8.04672, miles=True)),
        ("mostra só as com site", Search(city="Austin", has=("website",))),
        ("e em Denver?", Search(city="Denver")),
        ("não, peraí, em Denver", Search(city="Denver")),
        ("quantas em Denver?", Search(city="Denver", limit=0)),
        ("the closest to me", Search(city="Austin", nearest=True, limit=1)),
        ("scratch that, Denver", Search(city="Denver")),
        ("e em Denver também", Search(city="Austin", also_in=("Denver",))),
    ],
)
def test_one_slot_is_edited(said: Said, text: str, search: Search) -> None:
    assert edited(said, text, AUSTIN) == search


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("e no Texas?", {"city": "", "state": "Texas"}),
        ("qualquer tipo", {"type": ""}),
        ("e taproom também", {"also_types": ("taproom",)}),
        ("então taproom", {"type": "taproom"}),
        ("não precisa ser nova", {"only_new": False}),
        ("menos brewpub", {"type": "", "not_types": ("brewpub",)}),
        ("menos de 10 km", {"within_km": 10.0}),
        ("mais 3", {"skip": 5, "limit": 3}),
        ("3 more", {"skip": 5, "limit": 3}),
        ("não gostei, manda outras", {"page": 2}),
        ("mais", {"page": 2}),
    ],
)
def test_the_rest_stays(said: Said, text: str, changes: dict[str, object]) -> None:
    expected = {field: getattr(NEW, field) for field in NEW.__struct_fields__} | changes
    assert edited(said, text, NEW) == Search(**expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["sorry I meant Maine", "digo, Maine", "não, Maine", "do Maine", "Maine", "the one in Maine"]
)
def test_a_city_keeps_its_name_where_the_other_state_has_one(said: Said, text: str) -> None:
    assert edited(said, text, Search(city="Portland", state="Oregon")) == Search(city="Portland", state="Maine")


@pytest.mark.parametrize("text", ["e no Maine?", "breweries in Maine"])
def test_a_state_may_be_meant_as_a_whole(said: Said, text: str) -> None:
    assert edited(said, text, Search(city="Portland", state="Oregon")) == Search(state="Maine")


def test_what_was_said_of_no_place_is_left_out(said: Said) -> None:
    assert edited(said, "without the ones in Denver", Search(state="Colorado")) == Search(
        state="Colorado", not_in=("Denver",)
    )
    assert edited(said, "menos as de Denver", Search(state="Colorado")) == Search(state="Colorado", not_in=("Denver",))


def test_the_place_that_is_left_out_is_not_searched_any_more(said: Said) -> None:
    assert edited(said, "fora de Austin", AUSTIN) == Search(state="Texas", country="United States", not_in=("Austin",))
    assert edited(said, "não em Austin", Search(only_new=True)) == Search(only_new=True, not_in=("Austin",))


def test_pages_of_another_size_begin_where_the_last_ended(said: Said) -> None:
    assert edited(said, "mais 3", Search(city="Austin", limit=3, page=2)) == Search(city="Austin", limit=3, page=3)
    assert edited(said, "mais 2", Search(city="Austin", skip=5, limit=3, page=2), SHOWN[:3]) == Search(
        city="Austin", skip=11, limit=2
    )


def test_a_list_comes_again_after_its_number(said: Said) -> None:
    counted = Search(city="Austin", limit=0)
    assert edited(said, "mostra", counted) == edited(said, "show them", counted) == AUSTIN
    assert edited(said, "e em Denver?", counted) == Search(city="Denver", limit=0)


def test_other_types_are_those_that_were_not_shown(said: Said) -> None:
    search = edited(said, "tem algum outro tipo?", AUSTIN)
    assert search is not None and search.type == "" and set(search.not_types) == {"brewpub", "micro"}
    assert edited(said, "another type", Search(city="Austin", type="nano")) == Search(
        city="Austin", not_types=("nano",)
    )


def test_more_like_the_only_one_shown(said: Said) -> None:
    search = edited(said, "more like this", AUSTIN, SHOWN[:1])
    assert search is not None and search.like == SHOWN[0].id


@pytest.mark.parametrize(
    ("text", "wish"), [("mais barato", "price"), ("quais tem lager?", "style"), ("no centro", "area")]
)
def test_what_nobody_knows_changes_nothing(said: Said, text: str, wish: str) -> None:
    reading = said(text, Context(search=AUSTIN, shown=SHOWN, offered=True))
    assert (reading.search, reading.wishes) == (None, (wish,))


@pytest.mark.parametrize(
    "text",
    [
        "mais 3", "3 more", "show me ten", "só as 3 primeiras não, quero 5 cervejarias", "quantas?", "as 3 mais perto",
        "tem nano?", "tira as grandes", "not brewpubs", "more like this", "não gostei, manda outras", "e em Denver?",
    ],
)  # fmt: skip
def test_no_edit_is_a_yes(said: Said, text: str) -> None:
    """Details cost money."""
    reading = said(text, Context(search=AUSTIN, shown=SHOWN, offered=True))
    assert reading.tool == "search_breweries" and reading.brewery is None


@pytest.mark.parametrize(
    "text", ["cervejarias novas em Denver", "quais brewpubs tem em Denver?", "me recomenda algo em Bend"]
)
def test_a_whole_search_takes_nothing(said: Said, text: str) -> None:
    assert said(text, Context(search=NEW, shown=SHOWN)).search == said(text).search
