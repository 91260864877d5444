"""A message with everything that is known of its words: meanings, the catalogue's names, and the language."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from typing import Literal

from beerforyou.catalogue.mentions import Mention
from beerforyou.reading.words.hearing import Heard, hear
from beerforyou.reading.words.lexicon import LANGUAGES, Language, Mark, beside, lexicon, vocabulary
from beerforyou.reading.words.lookups import Lookups
from beerforyou.reading.words.text import Word, shouted

Edges = dict[int, dict[str, list[Mark]]]  # the marks by the word where they begin, or before which they end, and by tag


class Utterance:
    """`plain` are its words with typing mistakes repaired; positions count words. What was heard in them stays as it was; marks
    and names that something else was made of are taken away."""

    def __init__(
        self, words: Sequence[Word], lookups: Lookups, language: Language | Literal[""] = "", part: Heard | None = None
    ) -> None:
        """`part`: what is known of the words, when they are some of another message."""
        self._heard = heard = part or hear(words, lookups.catalogue, language)
        self.words = words
        self.lookups = lookups
        self.spoken = len(words)  # how many words count
        self.plain, self.guessed, self.language = heard.plain, heard.guessed, heard.language
        self._titled = heard.titled
        self._function = _function_words(self.language)
        self._known = vocabulary(self.language)
        self._unknown = {i for i, word in enumerate(self.plain) if word not in self._known and word.isalpha()}
        self._take(heard.mentions)
        self._keep(heard.marks)

    def __len__(self) -> int:
        return len(self.words)

    def part(self, span: range) -> Utterance:
        """A message of these words alone. Raises Tangled."""
        self.lookups.more()
        heard = self._heard.part(span, self.lookups.catalogue)
        return Utterance(heard.words, self.lookups, part=heard)

    def set_names(self, names: Iterable[tuple[str, int, int]]) -> None:
        """Stretches of words (tag, start, end) are names: what they say as words no longer counts."""
        named = [Mark(tag, start, end) for tag, start, end in names]
        inside = {i for mark in named for i in range(mark.start, mark.end)}
        if named:
            kept = (m for m in self._marks if inside.isdisjoint(range(m.start, m.end)))
            self._keep(sorted((*kept, *named), key=_place_in_message))

    def silence(self, positions: Iterable[int]) -> None:
        """What these words say, or name, no longer counts."""
        silent = set(positions)
        self.spoken -= len(silent)
        self._keep([m for m in self._marks if silent.isdisjoint(range(m.start, m.end))])
        self._take([m for m in self.mentions if silent.isdisjoint(range(m.start, m.end))])
        self._titled -= silent
        self._unknown -= silent

    def has(self, *tags: str) -> bool:
        return not self._tags.isdisjoint(tags)

    def all(self, *tags: str) -> list[Mark]:
        """The marks of these tags, in the order of the message, the longest first."""
        if len(tags) == 1:
            return self._by_tag.get(tags[0], [])
        found = [mark for tag in tags for mark in self._by_tag.get(tag, ())]
        return sorted(found, key=_place_in_message)

    def at(self, i: int) -> set[str]:
        """The tags on word `i`; none outside of the message."""
        return self._at[i] if 0 <= i < len(self._at) else set()

    def has_at(self, i: int, *tags: str) -> bool:
        return 0 <= i < len(self._at) and not self._at[i].isdisjoint(tags)

    def word(self, i: int) -> str:
        """The word at `i`, empty outside of the message."""
        return self.plain[i] if 0 <= i < len(self.plain) else ""

    def ends(self, i: int, *tags: str) -> bool:
        """Does a mark of one of these tags end just before word `i`?"""
        return self.has_at(i - 1, *tags) and not self._ends.get(i, _NONE).keys().isdisjoint(tags)

    def starts(self, i: int, *tags: str) -> bool:
        return self.has_at(i, *tags) and not self._starts.get(i, _NONE).keys().isdisjoint(tags)

    def ending(self, i: int, tag: str) -> Sequence[Mark]:
        """The marks of that tag that end just before word `i`."""
        return self._ends.get(i, _NONE).get(tag, ()) if self.has_at(i - 1, tag) else ()

    def starting(self, i: int, tag: str) -> Sequence[Mark]:
        return self._starts.get(i, _NONE).get(tag, ()) if self.has_at(i, tag) else ()

    def is_function(self, i: int) -> bool:
        return self.plain[i] in self._function

    def is_own_function(self, i: int) -> bool:
        """Of the message's own language: "Los" may begin a name in English."""
        return self.plain[i] in lexicon(self.language).function

    def is_known(self, i: int) -> bool:
        return self.plain[i] in self._known

    def is_strange(self, i: int) -> bool:
        """A word that is not known, alone or in a phrase."""
        return i in self._unknown and not self._at[i]

    def is_beside(self, i: int, *kinds: str) -> bool:
        """Is the word at `i` one of these that say nothing of their own?"""
        return self.word(i) in beside(self.language, *kinds)

    def is_name_like(self, i: int) -> bool:
        """Written with a capital that is no sentence's first."""
        return i in self._titled

    @property
    def asks(self) -> bool:
        """Does it end with a question mark?"""
        return bool(self.words) and self.words[-1].asked

    @property
    def has_unknown(self) -> bool:
        """Is there a word that is not known?"""
        return bool(self._unknown)

    def may_name(self, *kinds: str) -> bool:
        """Is there any word that could be a name: unknown, with a capital, or a name of these kinds in the catalogue?"""
        return bool(self._unknown or self._titled) or not self._by_kind.keys().isdisjoint(kinds)

    def mention_at(self, kind: str, i: int) -> Mention | None:
        """The mention of that kind that word `i` is part of: there is one at most."""
        return self._mention_at.get((kind, i))

    def mentions_from(self, i: int, *kinds: str) -> list[Mention]:
        """Those that start at word `i`."""
        here = (self.mention_at(kind, i) for kind in kinds)
        return [mention for mention in here if mention and mention.start == i]

    def mentions_of(self, *kinds: str) -> list[Mention]:
        if len(kinds) == 1:
            return self._by_kind.get(kinds[0], [])
        return [mention for mention in self.mentions if mention.kind in kinds]

    def covered(self, *tags: str, besides: Iterable[int] = ()) -> bool:
        """Do these meanings, courtesies and function words account for every word?"""
        others = set(besides)
        return all(i in others for i in self.besides(*tags))

    def besides(self, *tags: str) -> Iterator[int]:
        """The words that these meanings, courtesies and function words don't account for."""
        wanted = {*tags, "courtesy"}
        return (i for i, said in enumerate(self._at) if wanted.isdisjoint(said) and not self.is_function(i))

    def written(self, start: int, end: int) -> str:
        """The words as they were written, with what stands between them."""
        parts = [self.words[start].raw]
        for word in self.words[start + 1 : end]:
            parts += [word.gap, word.raw]
        return " ".join("".join(parts).split())

    @cached_property
    def capitals_count(self) -> bool:
        """Are they a sign of a name?"""
        return not shouted(self.words)

    @cached_property
    def clauses(self) -> list[range]:
        starts = [0, *(i for i in range(1, len(self)) if self.words[i].begins_clause)]
        return [range(start, end) for start, end in zip(starts, [*starts[1:], len(self)], strict=True)]

    def by_clause(self, *tags: str) -> Iterator[tuple[range, list[Mark]]]:
        """Each clause with the marks of these tags that start in it."""
        marks = self.all(*tags)
        at = 0
        for clause in self.clauses:
            end = bisect_left(marks, clause.stop, lo=at, key=lambda mark: mark.start)
            yield clause, marks[at:end]
            at = end

    def _take(self, mentions: list[Mention]) -> None:
        self.mentions = mentions
        self._by_kind: dict[str, list[Mention]] = {}
        self._mention_at: dict[tuple[str, int], Mention] = {}
        for mention in self.mentions:
            self._by_kind.setdefault(mention.kind, []).append(mention)
            for i in range(mention.start, mention.end):
                self._mention_at[mention.kind, i] = mention

    def _keep(self, marks: list[Mark]) -> None:
        """In the order of the message, the longest first."""
        self._marks = marks
        self._by_tag: dict[str, list[Mark]] = {}
        self._at: list[set[str]] = [set() for _ in self.words]
        for edges in ("_starts", "_ends"):
            vars(self).pop(edges, None)
        by_tag, at = self._by_tag, self._at
        for mark in marks:
            tag = mark.tag
            by_tag.setdefault(tag, []).append(mark)
            for i in range(mark.start, mark.end):
                at[i].add(tag)
        self._tags = by_tag.keys()

    @cached_property
    def _starts(self) -> Edges:
        """When first asked for: most messages ask for no edge of a mark that they have."""
        return _edges((mark.start, mark) for mark in self._marks)

    @cached_property
    def _ends(self) -> Edges:
        return _edges((mark.end, mark) for mark in self._marks)


_NONE: dict[str, list[Mark]] = {}


def _edges(marks: Iterable[tuple[int, Mark]]) -> Edges:
    edges: Edges = {}
    for at, mark in marks:
        edges.setdefault(at, {}).setdefault(mark.tag, []).append(mark)
    return edges


def _place_in_message(mark: Mark) -> tuple[int, int]:
    return mark.start, -mark.end


@cache
def _function_words(language: Language) -> frozenset[str]:
    """The language's own, and the others' where they mean nothing in this one."""
    own = lexicon(language)
    return own.function.union(*(lexicon(other).function - own.telling for other in LANGUAGES))
