"""Styles as they stand in purchases: which of them a word means, and how they are written."""

from __future__ import annotations

from beerforyou.reading.question import Question

# What a style or a family of styles is called in rows, where it isn't what the client calls it.
_CALLED = {
    "wheat": ("wheat", "weiss", "weizen", "witbier"),
    "sour": ("sour", "gose", "berliner", "lambic", "gueuze"),
    "belgian": ("belgian", "dubbel", "tripel", "quadrupel", "trappist"),
    "dark": ("dark", "stout", "porter", "schwarz", "dunkel", "black ipa"),
    "alcohol free": ("alcohol free", "alcohol-free", "non-alcoholic"),
    "gluten free": ("gluten free", "gluten-free"),
    "pilsner": ("pils",),
    "neipa": ("neipa", "new england ipa"),
    "hefeweizen": ("hefe", "weizen", "weissbier"),
}
_SHORT = frozenset({"ipa", "apa", "dipa", "neipa", "esb"})  # are written in capitals


def called(style: str) -> tuple[str, ...]:
    """Parts of names, any of which is of this style."""
    return _CALLED.get(style.lower(), (style,))


def written(style: str) -> str:
    return " ".join(word.upper() if word in _SHORT else word for word in style.split())


def told_apart(question: Question) -> tuple[str, ...]:
    """Styles that are set side by side ("IPA ou stout?"), the longest name first: "double IPA" is no IPA beside it."""
    if "style" not in question.by:
        return ()
    named = [each.values for each in question.filters if each.field == "style" and not each.negated]
    each = {value.lower(): value for value in named[0]}.values() if len(named) == 1 else ()
    return tuple(sorted(each, key=len, reverse=True)) if len(each) > 1 else ()
