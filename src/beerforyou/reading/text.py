"""A message as words: as written, and in the plain form under which lexicon and catalogue know them."""

from __future__ import annotations

import re

import msgspec

from beerforyou.catalogue.names import plain

MAX_CHARS = 4000  # what a client may send by default; nothing past it is read
MAX_WORDS = 400  # a message with more words is no question; its beginning is read
_TOKEN = re.compile(r"[^\W_]+(?:['’‘`´ʼ][^\W_]+)*[ªº]?|[👍👎👌✅❌🙌👏🤙😍🍻🍺🙏👋❤%#$]")
_CLAUSE_END = re.compile(r"[.!?;,:\n]")


class Word(msgspec.Struct, frozen=True):
    """`gap` is what stands between this word and the one before it."""

    raw: str
    plain: str
    gap: str

    @property
    def capital(self) -> bool:
        return self.raw[0].isupper()

    @property
    def begins_clause(self) -> bool:
        return bool(_CLAUSE_END.search(self.gap))


def words_of(text: str) -> list[Word]:
    words, end = [], 0
    for match in _TOKEN.finditer(text[:MAX_CHARS]):
        raw = match.group()
        words.append(Word(raw, plain(raw) or raw, text[end : match.start()]))
        end = match.end()
        if len(words) == MAX_WORDS:
            break
    return words


def shouted(words: list[Word]) -> bool:
    """Are capitals no sign of a name here? All words have them, as in THIS or As In This."""
    return len(words) > 1 and all(word.capital for word in words if word.raw.isalpha())
