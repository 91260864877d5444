"""An answer as plain text: what is listed can be pointed at by its number."""

from msgspec.structs import replace

from beerforyou.blocks import BreweryCard, BreweryList, Notice, Offer, QuickReplies, Reason, Table, Text
from beerforyou.sentences.rendering import plain

CARD = BreweryCard(
    brewery_id="1",
    name="Stone Brewing",
    brewery_type="brewpub",
    city="San Diego",
    state="California",
    country="United States",
    phone="760 294 7866",
    distance_km=12.3,
    reasons=(
        Reason(key="distance", values={"km": 12.3}),
        Reason(key="no_supplier_in_city", values={"city": "San Diego"}),
    ),
)


def test_a_list_is_numbered_from_where_its_page_begins() -> None:
    text = plain([BreweryList(breweries=(CARD, CARD), total=12, page=2, per_page=5)], "en")
    assert [line[:2] for line in text.splitlines() if not line.startswith(" ")] == ["6.", "7."]


def test_a_card_says_what_where_how_far_and_why() -> None:
    assert plain([BreweryList(breweries=(CARD,), total=1)], "pt").splitlines() == [
        "1. Stone Brewing: brewpub, San Diego, California (12 km)",
        "   a 12 km de você; nenhum fornecedor seu em San Diego",
    ]


def test_headings_stand_once_above_their_rows() -> None:
    rows = (("Rye", "Alter", 3, 9.5, 14.8), ("Ale", "Surly", 1, 2.0, 3.0))
    table = Table(columns=("beer", "brewery", "quantity", "amount", "amount_share"), rows=rows, currency="USD")
    assert plain([table], "en").splitlines() == [
        "Beer | Brewery | Units | Amount | Amount (%)",
        "- Rye | Alter | 3 | $9.50 | 14.8%",
        "- Ale | Surly | 1 | $2.00 | 3%",
    ]


def test_distances_are_told_in_the_unit_that_was_asked_for() -> None:
    far, close = replace(CARD, unit="mi"), replace(CARD, unit="mi", distance_km=0.9, reasons=())
    text = plain([BreweryList(breweries=(far, close), total=2, first=4)], "en").splitlines()
    assert text[0].endswith("(7.6 mi)") and text[1].startswith("   7.6 mi from you;")
    assert text[2] == "5. Stone Brewing: brewpub, San Diego, California (0.6 mi)"


def test_money_has_two_decimals_and_counts_have_none() -> None:
    money = Table(columns=("month", "amount"), rows=(("2026-03", 1234.5),))
    units = Table(columns=("beer", "quantity"), rows=(("Hop Song", 1234.0),))
    assert plain([money], "pt") == "- 2026-03: 1.234,50"
    assert plain([units], "en") == "- Hop Song: 1,234"


def test_everything_is_said_in_its_order_but_the_buttons() -> None:
    blocks = [Text(text="a"), Notice(key="k", text="b"), Offer(brewery_ids=(), text="c"), QuickReplies(replies=("d",))]
    assert plain(blocks, "en") == "a\n\nb\n\nc"
