"""Markdown that a model writes although it was asked not to, made plain: an answer is text. Names keep their marks where what
was asked, said or found has them so; a single * or _ is no mark. One pass over each line, in time that is linear in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

# It begins with one class of characters, so that a search skips all others at the pace of a table.
_MARK = re.compile(r"[*_~`|\\\]<](?:(?<=[`|\\])|(?<=\*)\*|(?<=_)_|(?<=~)~|(?<=\])\(|(?<=<)http)")
_BEGINNING = r"[ \t]*+(?:[-*+>]|#{1,6}|={3,}|[-_*]{3,})(?=\s|\Z)"
_LINE, _FIRST_LINE = re.compile(r"\n" + _BEGINNING), re.compile(_BEGINNING)
_BEGINS = re.compile(r"[ \t]*+(?:(?:[-*+>]|#{1,6})[ \t]++)*+(?=\S)")
_RULE = re.compile(r"[ \t]*+([-*_=])(?:[ \t]*+\1){2,}+[ \t]*+")
_FENCE = re.compile(r"[ \t]*+(?:```|~~~)[\w-]*+[ \t]*+")
_COLUMNS = re.compile(
    r"[ \t]*+\|?+(?:[ \t]*+:?+-++:?+[ \t]*+(?:\||$))++"
)  # between the heading of a table and its rows
_PAIR = re.compile(r"(?<!\\)(?:\*{2,}|__|~~)")
_LINK = re.compile(r"(!?+)\[([^\[\]]*+)\]\([ \t]*+<?+([^()\s<>]*+)>?+(?:[ \t]++[\"'][^\"']*+[\"'])?+[ \t]*+\)")
_BARE = re.compile(r"<(https?://[^\s<>]++)>")
_CODE = re.compile(r"(?<!`)(`{1,3})([^`]++)\1(?!`)")
_ESCAPED = re.compile(r"\\([*_`~#$|\[\]])")
_GAP = re.compile(r"\n{3,}")

Given = Callable[[], str]


def nothing() -> str:
    return ""


def marked(text: str, within: bool = False) -> bool:
    """Whether it may have some; `within`: the text goes on in the middle of a line."""
    return bool(_MARK.search(text) or _LINE.search(text) or (not within and _FIRST_LINE.match(text)))


def plain(text: str, given: Given = nothing, within: bool = False) -> str:
    """`given` is asked for what has names in it."""
    if not marked(text, within):
        return text
    lines = list(_lines(text.split("\n"), given(), within))
    return _GAP.sub("\n\n", "\n".join(lines))


def _lines(lines: list[str], given: str, within: bool) -> Iterator[str]:
    fenced = in_table = False
    for number, line in enumerate(lines):
        begins = number > 0 or not within
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if begins and _FENCE.fullmatch(line):
            fenced = not fenced
        elif fenced:
            yield line
        elif "|" in line and (in_table or _is_columns(following)):
            in_table = True
            if not _is_columns(line):
                yield _inline(_row(line), given)
        elif not (begins and _RULE.fullmatch(line)):
            in_table = False
            yield _inline(_body(line) if begins else line, given)


def _is_columns(line: str) -> bool:
    return "|" in line and bool(_COLUMNS.fullmatch(line))


def _row(line: str) -> str:
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return ", ".join(filter(None, cells))


def _body(line: str) -> str:
    """Of a heading, an item or a quotation."""
    begins = _BEGINS.match(line)
    if not begins or not begins[0].strip():
        return line
    body = line[begins.end() :].rstrip()
    head = body.rstrip("#")
    return head.rstrip() if begins[0].strip()[-1] == "#" and head.endswith(" ") else body


def _inline(line: str, given: str) -> str:
    line = _unpaired(line, given)
    for pattern, made in ((_LINK, _linked), (_BARE, _first), (_CODE, _last)):
        line = pattern.sub(partial(_unless_given, given, made), line)
    return _ESCAPED.sub(r"\1", line)


def _unless_given(given: str, made: Callable[[re.Match[str]], str], found: re.Match[str]) -> str:
    return found[0] if found[0] in given else made(found)


def _first(found: re.Match[str]) -> str:
    return found[1]


def _last(found: re.Match[str]) -> str:
    return found[2]


def _linked(found: re.Match[str]) -> str:
    """The words, and the address where they don't tell it."""
    picture, words, address = found.groups()
    told = not address.startswith(("http://", "https://")) or (words and words in address)
    return words if picture or told else f"{words} ({address})".strip()


def _unpaired(line: str, given: str) -> str:
    """Without the marks around what is bold or struck out."""
    gone: list[tuple[int, int]] = []
    opened: dict[str, re.Match[str]] = {}
    for mark in _PAIR.finditer(line):
        before, after = line[: mark.start()][-1:], line[mark.end() :][:1]
        start = opened.pop(mark[0], None) if before.strip() else None
        if start and start.end() < mark.start():
            if line[start.start() : mark.end()] not in given:
                gone += [start.span(), mark.span()]
        elif after.strip() and not before.isalnum():
            opened[mark[0]] = mark
    return _without(line, sorted(gone))


def _without(line: str, spans: list[tuple[int, int]]) -> str:
    kept, at = [], 0
    for start, end in spans:
        kept.append(line[at:start])
        at = end
    return "".join([*kept, line[at:]])
