"""Nothing invisible and nothing that is obeyed passes; whatever people write does."""

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beerforyou.blocks import BreweryCard, BreweryList, Notice, Offer, QuickReplies, Reason, Table, Text
from beerforyou.guards.canonical import _EMOJI, _GONE, everywhere, line, presentable, visible
from tests.cpu import quick

GONE = [
    "\x1b[31m"[0], "\x9b", "\x07", "\0", "\x7f", "\x90",  # controls and how terminal sequences begin
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",  # bidi
    *"\u200b\u200c\u200d\u2060\u2063\ufeff\xad\u034f\u180e\u3164\u115f\uffa0\u2064\u206a\u17b4",  # nothing to see
    "\U000e0001", "\U000e0041", "\U000e0100", "\ufe0f", "\ufe00", "\U000e0fff",  # tags and variations
    "\ud800", "\udfff", "\ue000", "\U000f0000", "\U0010ffff", "\ufff9", "\ufffe", "\ufdd0", "\U0001d173",
]  # fmt: skip
STAYS = [
    "Três cervejarias em São Paulo: “ótimas” – R$ 1.234,50 (12 %) … ¡olé! ñ ß Ž",
    "B" + "e\u0301" + "er",  # a combining accent
    "🍺 👩‍❤️‍👨 👩🏽‍🍳 ☀️ ❤️ 1️⃣ 🇧🇷 👨‍👩‍👧‍👦 ✔︎",
    "Пиво 啤酒 ビール 맥주 בירה بيرة ที่ हिन्दी",
    "a\nb",
    r"\x1b[31m as words, and \u202e",
]
ENDS = ["\r\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c"]


@pytest.mark.parametrize("character", GONE, ids=lambda c: f"U+{ord(c):04X}")
def test_what_nobody_sees_is_gone(character: str) -> None:
    assert presentable(f"a{character}b") == "ab"
    assert presentable(f"🍺é{character}") == "🍺é"
    assert presentable(character * 50) == ""


@pytest.mark.parametrize("text", STAYS)
def test_what_people_write_stays(text: str) -> None:
    assert presentable(text) == text
    assert presentable(f"{text}\u202e") == text, "also beside what goes"


@pytest.mark.parametrize("end", ENDS)
def test_there_is_one_way_to_end_a_line(end: str) -> None:
    assert presentable(f"a{end}b") == "a\nb" and line(f"a{end}b") == "a b"


def test_a_joiner_joins_pictures_and_nothing_else() -> None:
    assert presentable("a\ufe0f\u200db") == "ab"
    assert presentable("🍺\u200d") == "🍺" and presentable("🍺\u200d\u200d🍺") == "🍺🍺"
    assert presentable("🍺\ufe0f\ufe0f\ufe0f\ufe0f") == "🍺\ufe0f", "or a text would hide in them"


@given(st.text(st.characters() | st.sampled_from([*GONE, *"👩❤🍺\t\r\n1\u20e3"])))
def test_twice_is_once_and_nothing_unseen_is_left(text: str) -> None:
    seen = presentable(text)
    assert presentable(seen) == seen
    left = {unicodedata.category(c) for c in seen if c not in "\n\u200d"}
    assert not left & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@pytest.mark.parametrize(
    "text",
    [
        "x" * 200_000,
        "é ü" * 70_000,
        "🍺\u200d" * 100_000,
        "\u200b" * 200_000,
        "1\u20e3" * 100_000,
        "1" * 200_000 + "\0",
    ],
)
def test_its_time_is_linear(text: str) -> None:
    with quick(0.5):
        presentable(text)


TEXTS = st.text(st.characters() | st.sampled_from([*GONE, *"".join(ENDS), *'👩❤🍺\U0001f3fe\t\r\n1#\u20e3 \xa0"\\']))
STEP = re.compile(f"({_EMOJI}(?:\u200d{_EMOJI})*)|(\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029])|(\t)|[{_GONE}]+")


def slowly(text: str) -> str:
    """`visible` by a call for each thing that may not stay as it is."""
    return STEP.sub(lambda found: found[1] or ("\n" if found[2] else " " if found[3] else ""), text)


def one_by_one(value: Any) -> Any:
    """`everywhere`, with a look at each string."""
    if isinstance(value, dict):
        return {one_by_one(key): one_by_one(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [one_by_one(inner) for inner in value]
    return " ".join(slowly(value).strip().splitlines()) if isinstance(value, str) else value


@given(TEXTS)
def test_the_quick_way_is_the_slow_one(text: str) -> None:
    assert visible(text) == slowly(text)


@given(st.recursive(TEXTS | st.none() | st.floats(allow_nan=False) | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))  # fmt: skip
def test_to_look_at_all_at_once_is_to_look_at_each(value: Any) -> None:
    assert everywhere(value) == one_by_one(value)


@pytest.mark.parametrize("character", [*GONE, *ENDS, "\t", "\xa0", "\u3000", '"', "\\"], ids=ascii)
@pytest.mark.parametrize("frame", ["{}", "a{}b", "{}a", "a{}", "é{}é", " a{}"])
def test_one_string_among_many_is_not_overlooked(character: str, frame: str) -> None:
    among = ["a", {"b": ["c", frame.format(character), 1], frame.format(character): "é"}, "d"]
    assert everywhere(among) == one_by_one(among)


EVIL, CLEAN = " \x1b[2JA\u202el\u200be\U000e0041\x07", "[2JAle"


def test_every_string_of_every_block_passes() -> None:
    reason = Reason(key=EVIL, values={EVIL: EVIL, "n": 3})
    card = BreweryCard(
        brewery_id=EVIL, name=EVIL, brewery_type=EVIL, city=EVIL, state=EVIL, country=EVIL, address=EVIL, phone=EVIL,
        website=EVIL, distance_km=1.5, reasons=(reason,),
    )  # fmt: skip
    blocks = (
        Text(text=EVIL), card, BreweryList(breweries=(card,), total=1), Offer(brewery_ids=(EVIL,), text=EVIL),
        Table(columns=(EVIL, "b"), rows=((EVIL, 1), (None, 2.5)), title=EVIL), QuickReplies(replies=(EVIL,)),
        Notice(key=EVIL, text=EVIL),
    )  # fmt: skip
    passed = everywhere(blocks)
    assert str(passed).count(CLEAN) == str(blocks).count("[2JA")
    assert presentable(repr(passed)) == repr(passed) and "\\x" not in repr(passed) and "\\u" not in repr(passed)
    assert passed[2].breweries[0].distance_km == 1.5 and passed[4].rows[1] == (None, 2.5)  # type: ignore[attr-defined]


def test_a_text_keeps_its_lines_and_a_cell_is_one() -> None:
    text, table = everywhere((Text(text="a\r\nb"), Table(columns=("a\nb",), rows=(("a\nb",),))))
    assert text == Text(text="a\nb")
    assert table == Table(columns=("a b",), rows=(("a b",),))
