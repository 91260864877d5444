"""What of a model's text the client hears while it is written: whole sentences of the answer, through the output guard."""

from __future__ import annotations

from beerforyou.answering import markup
from beerforyou.answering.speech import Speech
from beerforyou.guards import outgoing
from beerforyou.runs.journal import Journal


class Speaking:
    """`given`: see `markup.plain`; none for what is worded by rule. It is not kept, since it leads to the turn, and that to here."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._speech, self._told = Speech(), False

    def say(self, piece: str, given: markup.Given | None) -> None:
        """Text of the answer as it is written; it leaves by whole sentences. An empty piece: forget it, it begins again."""
        if not piece:
            return self.begin_again()
        for sentence in self._speech.hear(piece, given):
            self._tell(sentence)

    def end_of_text(self, given: markup.Given | None, rest: str = "") -> None:
        """`rest`: text that was held back, since a call might have come beside it."""
        if rest:
            self.say(rest, given)
        self._tell(self._speech.end(given))
        self._speech, self._told = Speech(), False

    def begin_again(self) -> None:
        """What has no end yet is void; who heard some of it is told so."""
        if self._told:
            self._journal.emit("started")
        self._speech, self._told = Speech(), False

    def _tell(self, sentence: str) -> None:
        if text := outgoing.sentence(sentence):
            self._told = True
            self._journal.emit("text", text=text)
