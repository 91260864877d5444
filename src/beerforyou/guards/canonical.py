"""The form of text that comes from strangers before anybody reads it: a client, a terminal, a model. What draws nothing,
turns the reading direction or is obeyed by a terminal is gone; accents, emoji and their sequences stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from beerforyou.guards.characters import CONTROLS, NO_TEXT, NO_TEXT_BEYOND, UNSEEN, UNSEEN_BEYOND

T = TypeVar("T")

_PICTURE = (
    "[\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001faff]"
)
_EMOJI = f"(?:[0-9#*]\ufe0f?\u20e3|{_PICTURE}[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?)"
_GONE, _GONE_BEYOND = UNSEEN + CONTROLS + NO_TEXT, UNSEEN_BEYOND + NO_TEXT_BEYOND
# One class within 65,536 is a table, and one beyond is a list of ranges: apart they cost a tenth.
_SUSPECT = re.compile(f"[{_GONE}]")
_SUSPECT_BEYOND = re.compile(f"[{_GONE_BEYOND}]")
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
# A joiner or a variation counts inside an emoji sequence, and nowhere else.
_PASSES = re.compile(
    f"({_EMOJI}(?:\u200d{_EMOJI})*)|(\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029])|(\t)|[{_GONE}{_GONE_BEYOND}]+"
)


def visible(text: str) -> str:
    """Every way to end a line is a newline, a tab is a blank, and what cannot be seen is left out."""
    if text.isascii() and text.isprintable():  # a name, mostly
        return text
    suspect = _SUSPECT.search(text) or (_BEYOND.search(text) and _SUSPECT_BEYOND.search(text))
    return _PASSES.sub(_passed, text) if suspect else text


def presentable(text: str) -> str:
    return visible(text).strip()


def line(text: str) -> str:
    """For what is one line by its nature: a name, a cell, a column."""
    seen = presentable(text)
    return " ".join(seen.splitlines()) if "\n" in seen else seen


def everywhere(value: T, clean: Callable[[str], str] = line) -> T:
    """The same structs, lists and tables with every string in them clean, keys as well; the `text` of a block keeps its lines.
    A struct that needs no change is not copied.
    """
    return _walked(value, clean)


def _walked(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, msgspec.Struct):
        return _struct(value, clean)
    if isinstance(value, dict):
        return {_walked(key, clean): _walked(inner, clean) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_walked(inner, clean) for inner in value)
    return value


def _struct(value: msgspec.Struct, clean: Callable[[str], str]) -> msgspec.Struct:
    changed = {}
    for name in value.__struct_fields__:
        before = getattr(value, name)
        after = presentable(before) if name == "text" else _walked(before, clean)
        if after != before:
            changed[name] = after
    return msgspec.structs.replace(value, **changed) if changed else value


def _passed(found: re.Match[str]) -> str:
    return found[1] or ("\n" if found[2] else " " if found[3] else "")
