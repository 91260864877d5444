"""What a model says, on its way out: by whole sentences, in time that is linear in the text, however small its pieces are.

From the first sentence on that may be the beginning of a tool call it waits for the end, when it is known what it was. A line
with Markdown in it leaves whole, since a mark and its other half may be in two sentences.
"""

from __future__ import annotations

import re

from beerforyou.answering import markup
from beerforyou.llm.written_calls import SUSPICIOUS

SENTENCE_END = re.compile(r"[.!?…\n](?:(?<=\n)\n*|\s+)")  # its mark, or a newline alone, and the blanks after it
LINE_END = re.compile(r"\n+")
MOST_SENTENCES = 100  # told one by one; each is an event, and answers have three
LONGEST = 100_000  # characters that are listened to; a reply's own limit is far below


class Speech:
    """`given`: see `markup.plain`; none for a text that has no markup."""

    def __init__(self) -> None:
        self._pieces: list[str] = []  # since the last whole sentence
        self._last = ""  # character, since the end of a sentence may come in two pieces
        self._left, self._told = LONGEST, 0
        self._waits = self._marked = self._within = False  # for the end, for the line's; what is next goes on in a line

    def hear(self, piece: str, given: markup.Given | None = markup.nothing) -> list[str]:
        """The sentences that are whole by now."""
        piece = piece[: self._left]
        self._left -= len(piece)
        self._pieces.append(piece)
        seen, self._last = self._last + piece, piece[-1:] or self._last
        ended = "\n" in piece if self._marked else SENTENCE_END.search(seen)
        return self._whole(given) if ended and not self._waits else []

    def end(self, given: markup.Given | None = markup.nothing) -> str:
        """What was not told yet."""
        return self._plain("".join(self._pieces), given)

    def _whole(self, given: markup.Given | None) -> list[str]:
        text, start, told = "".join(self._pieces), 0, []
        while end := (LINE_END if self._marked else SENTENCE_END).search(text, start):
            sentence = text[start : end.end()]
            self._waits = self._told >= MOST_SENTENCES or bool(SUSPICIOUS.search(sentence))
            if self._waits:
                break
            ends_line = "\n" in end[0]
            self._marked = given is not None and not ends_line and markup.marked(sentence, self._within)
            if not self._marked:
                told.append(self._plain(sentence.rstrip(), given))
                start, self._told, self._within = end.end(), self._told + 1, not ends_line
        self._pieces = [text[start:]]
        return told

    def _plain(self, text: str, given: markup.Given | None) -> str:
        return markup.plain(text, given, self._within) if given else text
