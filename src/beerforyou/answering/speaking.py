"""What of a model's text the client hears while it is written: whole sentences of the answer, through the output guard."""

from __future__ import annotations

from beerforyou.answering import markup
from beerforyou.answering.speech import Speech
from beerforyou.guards import outgoing
from beerforyou.runs.journal import Journal


class Speaking:
    """`given`: where to look for names that have marks (`markup.plain`)."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.given: markup.Given = markup.nothing
        self._speech, self._told = self._new(), False

    def say(self, piece: str) -> None:
        """Text of the answer as it is written; it leaves by whole sentences. An empty piece: forget it, it begins again."""
        if not piece:
            return self.begin_again()
        for sentence in self._speech.hear(piece):
            self._tell(sentence)

    def end_of_text(self, rest: str = "", by_rule: bool = False) -> None:
        """`rest`: text that was held back, since a call might have come beside it. By rule it has no markup, only names."""
        if by_rule:
            self._speech = Speech(None)
        if rest:
            self.say(rest)
        self._tell(self._speech.end())
        self._speech, self._told = self._new(), False

    def begin_again(self) -> None:
        """What has no end yet is void; who heard some of it is told so."""
        if self._told:
            self._journal.emit("started")
        self._speech, self._told = self._new(), False

    def _new(self) -> Speech:
        return Speech(lambda: self.given())

    def _tell(self, sentence: str) -> None:
        if text := outgoing.sentence(sentence):
            self._told = True
            self._journal.emit("text", text=text)
