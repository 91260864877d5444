"""A message as words: as written, and in the plain form under which lexicon and catalogue know them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

import msgspec

from beerforyou.catalogue.names import plain

MAX_CHARS = 4000  # what a client may send by default; nothing past it is read
MAX_WORDS = 400  # a message with more words is no question; its beginning is read
_TOKEN = re.compile(
    r"(?:(?<!\w)[^\W\d_]\.){2,}|[^\W_]+(?:['’‘`´ʼ][^\W_]+)*|(?<!\S)\+(?!\S)|[👍👎👌✅❌🙌👏🤙😍🍻🍺🙏👋❤%#$&]"
)
TRADE = frozenset(
    {
        "brewing",
        "company",
        "co",
        "brewers",
        "brewery",
        "beer",
        "brewhouse",
        "beerworks",
        "ales",
        "brouwerij",
        "brauerei",
        "brasserie",
    }
)  # what a brewery's name ends with
_CLAUSE_END = re.compile(r"[.!?;,:\n]|\s[-–—]+\s")
_SENTENCE_END = re.compile(r"[.!?…\n]")
_ABBREVIATED = frozenset({"st", "mt", "ft", "dr", "mr", "mrs", "ms", "co", "inc", "no", "vs", "jr", "sr"})


class Word(msgspec.Struct, frozen=True):
    """`gap` is what stands between this word and the one before it; `asked` says that a question ends with it."""

    raw: str
    plain: str
    gap: str = ""
    asked: bool = False

    @property
    def owner(self) -> str:
        """ "stone" of "Stone's"; empty when it owns nothing."""
        return plain(self.raw[:-2]) if self.raw[-2:] in ("'s", "’s") and len(self.raw) > 3 else ""

    @property
    def capital(self) -> bool:
        return self.raw[0].isupper()

    @property
    def begins_clause(self) -> bool:
        return bool(_CLAUSE_END.search(self.gap))


def words_of(text: str) -> list[Word]:
    text = text[:MAX_CHARS]
    found = list(islice(_TOKEN.finditer(text), MAX_WORDS))
    starts = [match.start() for match in found]
    ends = [match.end() for match in found]
    gaps = [text[end:start] for end, start in zip([0, *ends], [*starts, len(text)], strict=True)]
    return [
        Word(raw := match.group(), raw if raw == "+" else plain(raw) or raw, gap, "?" in after)
        for match, gap, after in zip(found, gaps, gaps[1:], strict=False)
    ]


def sentences_of(words: Sequence[Word]) -> list[range]:
    """Positions by sentence; "St. Louis" and "D. G." don't end one."""
    starts = [0]
    for i in range(1, len(words)):
        before = words[i - 1].plain
        abbreviated = words[i].gap.startswith(".") and (len(before) == 1 or before in _ABBREVIATED)
        if _SENTENCE_END.search(words[i].gap) and not abbreviated:
            starts.append(i)
    return [range(start, end) for start, end in zip(starts, [*starts[1:], len(words)], strict=True)]


def shouted(words: Sequence[Word]) -> bool:
    """Are capitals no sign of a name here? All words have them, as in THIS or As In This."""
    return len(words) > 1 and all(word.capital for word in words if word.raw.isalpha())
