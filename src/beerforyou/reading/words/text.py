"""A message as words: as written, and in the plain form under which lexicon and catalogue know them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

import msgspec

from beerforyou.catalogue.names import plain

MAX_CHARS = 4000  # what a client may send by default
MAX_WORDS = 400  # a message with more words is no question
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
_LONGEST = 40  # letters of a word whose plain form is remembered
_LONG, _NAME = 20, 3  # words: of a sentence that is a story, and of a name between commas
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
        return self.gap != " " and _CLAUSE_END.search(self.gap) is not None


def words_of(text: str) -> list[Word]:
    """The words within MAX_CHARS, and one at most past MAX_WORDS: who reads them sees that there are more."""
    text = text[:MAX_CHARS]
    found = list(islice(_TOKEN.finditer(text), MAX_WORDS + 1))
    starts = [match.start() for match in found]
    ends = [match.end() for match in found]
    gaps = [text[end:start] for end, start in zip([0, *ends], [*starts, len(text)], strict=True)]
    return [
        Word(raw := match.group(), _plain(raw) if len(raw) <= _LONGEST else plain(raw) or raw, gap, "?" in after)
        for match, gap, after in zip(found, gaps, gaps[1:], strict=False)
    ]


@lru_cache(8192)
def _plain(raw: str) -> str:
    return raw if raw == "+" else plain(raw) or raw


def sentences_of(words: Sequence[Word]) -> list[range]:
    """Positions by sentence; "St. Louis" and "D. G." don't end one. A long one ends at its commas too."""
    ends = [i for i in range(1, len(words)) if _ends_sentence(words[i - 1], words[i])]
    sentences = _ranges(ends, 0, len(words))
    return [
        part for sentence in sentences for part in (_parts(words, sentence) if len(sentence) > _LONG else [sentence])
    ]


def _ends_sentence(before: Word, word: Word) -> bool:
    if word.gap == " ":
        return False
    abbreviated = word.gap.startswith(".") and (len(before.plain) == 1 or before.plain in _ABBREVIATED)
    return bool(_SENTENCE_END.search(word.gap)) and not abbreviated


def _parts(words: Sequence[Word], sentence: range) -> list[range]:
    """At commas, but not where a piece would be no more than a name: "Portland, Maine"."""
    commas = [i for i in sentence if i > sentence.start and words[i].begins_clause]
    pieces = _ranges(commas, sentence.start, sentence.stop)
    ends: list[int] = []
    for piece in pieces[1:]:
        if len(piece) > _NAME and piece.start - (ends[-1] if ends else sentence.start) > _NAME:
            ends.append(piece.start)
    return _ranges(ends, sentence.start, sentence.stop)


def _ranges(cuts: list[int], start: int, stop: int) -> list[range]:
    return [range(a, b) for a, b in zip([start, *cuts], [*cuts, stop], strict=True)]


def shouted(words: Sequence[Word]) -> bool:
    """Are capitals no sign of a name here? All words have them, as in THIS or As In This."""
    return len(words) > 1 and all(word.capital for word in words if word.raw.isalpha())
