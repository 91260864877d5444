"""Server-sent events out of bytes that may be cut anywhere, also in the middle of a letter."""

from __future__ import annotations

from collections.abc import Callable

from beerforyou.outside.http1 import Answer

BLANK = (b"", b"\r")


class Hearing(Answer):
    """A model's reply: each event of a stream goes to `read` as it comes, until that says it is enough; anything else is a
    body once it is whole."""

    def __init__(self, read: Callable[[bytes], bool]) -> None:
        super().__init__()
        self._read = read
        self._events: Events | None = None
        self._enough = False
        self.count = 0  # of events

    @property
    def streamed(self) -> bool:
        return self._events is not None

    def begins(self) -> None:
        kind = self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if self.status == 200 and kind == b"text/event-stream":
            self._events = Events()

    def hear(self, piece: bytes) -> bool:
        if self._events is None:
            return super().hear(piece)
        for event in self._events.feed(piece):
            self.count += 1
            if self._read(event):
                self._enough = True
                break
        return self._enough

    def end(self) -> None:
        """The reply is whole: a last event that lacks its blank line counts."""
        if self._events and not self._enough:
            self.hear(b"\n\n")


class Events:
    """Lines end in LF or CRLF. A lone CR, which the standard allows, is not used by any model provider."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []  # of a line; joined once it is whole, since a line may come byte by byte
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of each event that is whole with it, without blanks around; other fields and comments don't count."""
        lines = piece.split(b"\n")
        rest = lines.pop()
        if lines and self._begun:
            lines[0] = b"".join((*self._begun, lines[0]))
            self._begun = []
        if rest:
            self._begun.append(rest)
        events = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].strip())
            elif self._data and line in BLANK:
                events.append(b"\n".join(self._data))
                self._data = []
        return events
