"""What a model says, on its way out: by whole sentences, in time that is linear in the text, however small its pieces are.

From the first sentence on that may be the beginning of a tool call it waits for the end, when it is known what it was.
"""

from __future__ import annotations

import re

from beerforyou.llm.written_calls import SUSPICIOUS

SENTENCE_END = re.compile(r"[.!?…\n](?:(?<=\n)\n*|\s+)")  # its mark, or a newline alone, and the blanks after it
MOST_SENTENCES = 100  # told one by one; each is an event, and answers have three
LONGEST = 100_000  # characters that are listened to; a reply's own limit is far below


class Speech:
    def __init__(self) -> None:
        self._pieces: list[str] = []  # since the last whole sentence
        self._last = ""  # character, since the end of a sentence may come in two pieces
        self._left, self._told = LONGEST, 0
        self._waits = False

    def hear(self, piece: str) -> list[str]:
        """The sentences that are whole by now."""
        piece = piece[: self._left]
        self._left -= len(piece)
        self._pieces.append(piece)
        seen, self._last = self._last + piece, piece[-1:] or self._last
        return self._whole() if not self._waits and SENTENCE_END.search(seen) else []

    def end(self) -> str:
        """What was not told yet."""
        return "".join(self._pieces)

    def _whole(self) -> list[str]:
        text, start, told = "".join(self._pieces), 0, []
        for end in SENTENCE_END.finditer(text):
            sentence = text[start : end.start() + 1].removesuffix("\n")
            self._waits = self._told >= MOST_SENTENCES or bool(SUSPICIOUS.search(sentence))
            if self._waits:
                break
            told.append(sentence)
            start, self._told = end.end(), self._told + 1
        self._pieces = [text[start:]]
        return told
