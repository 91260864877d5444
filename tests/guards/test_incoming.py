"""What comes in: a message is refused for what is no text, and a name loses what nobody sees."""

import sys
import unicodedata

import pytest

from beerforyou.errors import BadInput
from beerforyou.guards.canonical import presentable
from beerforyou.guards.incoming import as_seen, check_message, hides

FORMATS = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) == "Cf"]


def test_what_goes_out_and_what_comes_in_lose_the_same() -> None:
    """Whatever Unicode this Python knows."""
    assert [
        f"{c!a}" for c in FORMATS if as_seen(f"a{c}b") != "ab" or presentable(f"a{c}b") != "ab" or not hides(c)
    ] == []


@pytest.mark.parametrize("blank", [" \t ", "\u00a0", "\u3000\u2003", "\u200b \u2060"])
def test_blanks_of_any_kind_are_one(blank: str) -> None:
    assert as_seen(f"{blank}Grey{blank}Gull{blank}") == "Grey Gull"


@pytest.mark.parametrize("name", ["São João", "O'Brien & Søn", "啤酒", "בירה", "Ⅷ", "🍺 Bar", "ʻOhana"])
def test_a_name_that_is_seen_stays(name: str) -> None:
    assert as_seen(name) == name and not hides(name)
    assert as_seen(unicodedata.normalize("NFD", name)) == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (" \n\t\u3000", "empty"),
        ("x" * 11, "11 characters, and 10"),
        ("a\0b", "character 2 is the control character U+0000"),
        ("  ab\x1b[2J", "character 3 is the control character U+001B"),
        ("a\x9bb", "U+009B"),
        ("a\x85b", "U+0085"),
        ("a\x7fb", "U+007F"),
        ("ab\ud800", "character 3 is the control character U+D800"),
    ],
)
def test_what_is_no_message_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_message(text, 10)
    assert says in refused.value.message and refused.value.hint


@pytest.mark.parametrize("text", ["a\r\n\tb", "olá 🍺", "a\u2028b", "x" * 10])
def test_a_message_is_taken_as_it_is_written(text: str) -> None:
    assert check_message(f" {text}\n", 10) == text
