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
    "\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001faff"
)
_EMOJI = f"(?:[0-9#*]\ufe0f?\u20e3|[{_PICTURE}][\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?)"
_GONE = UNSEEN + CONTROLS + NO_TEXT + UNSEEN_BEYOND + NO_TEXT_BEYOND
# One class within 65,536 is a table, and one beyond is a list of ranges: apart they cost a tenth.
_SUSPECT = re.compile(f"[{UNSEEN}{CONTROLS}{NO_TEXT}]")
_SUSPECT_BEYOND = re.compile(f"[{UNSEEN_BEYOND}{NO_TEXT_BEYOND}]")
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
_ENDS = "\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
# What is kept, by stretches, since a call for each character is dear. What is gone takes along what follows and is no text
# either. A joiner or a variation counts inside an emoji sequence, and nowhere else.
_KEPT = re.compile(
    f"(?:(?![\t{_ENDS}])[{_GONE}]+)?"
    f"([^0-9#*{_PICTURE}{_GONE}]+|{_EMOJI}(?:\u200d{_EMOJI})*|[0-9#*]|\r\n|[\t{_ENDS}]|\\Z)"
)
_BLANKS = {"\t": " ", **dict.fromkeys(("\r\n", *"\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), "\n")}

_JSON = msgspec.json.Encoder()
_MARKS = (b"\\", b"\x7f", b'" ', b' "')  # an escape stands for a control or a quote; blanks are inside of strings only
_ASCII = bytes(range(128))
_NOT_PLAIN = re.compile(f"[\\s{_GONE}]")


def visible(text: str) -> str:
    """Every way to end a line is a newline, a tab is a blank, and what cannot be seen is left out."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    if not (_SUSPECT.search(text) or (_BEYOND.search(text) and _SUSPECT_BEYOND.search(text))):
        return text
    return "".join([_BLANKS.get(kept, kept) for kept in _KEPT.findall(text)])


def presentable(text: str) -> str:
    return visible(text).strip()


def line(text: str) -> str:
    """For what is one line by its nature: a name, a cell, a column."""
    seen = presentable(text)
    return " ".join(seen.splitlines()) if "\n" in seen else seen


def everywhere(value: T, clean: Callable[[str], str] = line) -> T:
    """The same structs, lists and tables with every string in them clean, keys as well; the `text` of a block keeps its lines.
    What needs no change is not copied.
    """
    return value if _is_plain(value) else _walked(value, clean)


def _is_plain(value: Any) -> bool:
    """Whether no string in it can need a change: one look at all of them, as JSON. A quote or a backslash in one, a blank at
    its end, is not worth a closer look here.
    """
    try:
        written = _JSON.encode(value)
    except (TypeError, ValueError, OverflowError):  # half a character, or what is no JSON
        return False
    if any(mark in written for mark in _MARKS):
        return False
    return written.isascii() or not _NOT_PLAIN.search(written.translate(None, _ASCII).decode())


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
